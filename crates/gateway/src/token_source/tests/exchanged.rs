//! Tokens in the place of callers' tokens: everybody has his own, and none outlives what it came of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carnet_config::routing::middleware::o_auth_token_exchange::{Actor, Method, Rfc8693};
use carnet_oauth::form;
use carnet_oauth::token_type::{ACCESS_TOKEN, JWT};
use carnet_testkit::token_endpoint::jwt;
use carnet_testkit::{FixedClock, SeededRandom};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use http::Response;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::{advance, sleep};

use super::shelf::{SECRET, Shelf, shared};
use super::{
    Asked, Call, CallFailure, Options, Outcome, TokenEndpoint, answer, credentials, options,
    refused, source_sharing,
};
use crate::token_source::asker::Asker;
use crate::token_source::key::Hasher;
use crate::token_source::{Grant, Refresh, Shared, TokenFault};

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

const A_SECOND: Duration = Duration::from_secs(1);

/// Gives `for-SUBJECT` in the place of each subject after a second, and nothing for `bad` ones.
#[derive(Default)]
struct Changer {
    asked: Mutex<Vec<String>>,
}

impl Changer {
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    fn note(&self, subject: &str) {
        let asked = self.asked.lock();
        let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
        asked.push(subject.to_owned());
    }
}

impl TokenEndpoint for Changer {
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>> {
        async move {
            let pairs = form::parse(call.form.expose_secret().as_bytes());
            let mut pairs: BTreeMap<String, String> = pairs.into_iter().collect();
            let subject = pairs.remove("subject_token").expect("a subject");
            self.note(&subject);
            sleep(A_SECOND).await;
            if subject.starts_with("bad") {
                return refused(400, "invalid_request");
            }
            answer(
                200,
                &json!({
                    "access_token": format!("for-{subject}"), "issued_token_type": ACCESS_TOKEN,
                    "token_type": "Bearer", "expires_in": 3600,
                }),
            )
        }
        .boxed()
    }
}

fn by_rfc8693(wanted: Option<&str>, actor: Option<&str>) -> Grant {
    Grant::Exchange(Method::Rfc8693(Rfc8693 {
        subject_token_type: ACCESS_TOKEN.to_owned(),
        requested_token_type: wanted.map(str::to_owned),
        actor: actor.map(|token| Actor {
            token: token.into(),
            token_type: JWT.to_owned(),
        }),
    }))
}

fn exchanging() -> Options {
    Options {
        grant: by_rfc8693(None, None),
        refresh: Refresh::Never,
        ..options()
    }
}

/// A gateway with a clock of its own.
fn gateway(changer: &Arc<Changer>, shared: Option<Shared>) -> (Arc<Asked>, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::default());
    let source = source_sharing(exchanging(), changer.clone(), clock.clone(), (42, shared));
    (source, clock)
}

async fn exchanged(gateway: &Asked, subject: &str) -> Outcome {
    let own: Arc<[_]> = credentials("gw", "secret").into();
    let caller = gateway
        .0
        .caller_with(own, subject.into())
        .expect("a reading");
    gateway.0.token(&caller).await.map(|given| given.token)
}

fn text(outcome: &Outcome) -> &str {
    outcome.as_ref().map_or("", |token| token.text())
}

// Holds CA-07, CA-08.
#[tokio::test(start_paused = true)]
async fn a_thousand_who_come_at_once_with_two_tokens_have_their_own_by_two_calls() {
    let changer = Arc::default();
    let (gateway, _) = gateway(&changer, None);
    let subjects = ["alice", "bob"];
    let asking = (0..1000).map(|at| exchanged(&gateway, subjects[at % 2]));
    let outcomes = join_all(asking).await;
    for (at, outcome) in outcomes.iter().enumerate() {
        assert_eq!(text(outcome), format!("for-{}", subjects[at % 2]));
    }
    assert_eq!(changer.asked(), subjects);
    for subject in subjects {
        let again = exchanged(&gateway, subject).await;
        assert_eq!(text(&again), format!("for-{subject}"));
    }
    assert_eq!(changer.asked().len(), 2);
}

// Holds CA-05, CA-06.
#[tokio::test(start_paused = true)]
async fn nothing_is_used_beyond_the_end_of_the_callers_token_whoever_got_it() {
    let (changer, shelf) = (Arc::default(), Shelf::new());
    let fleet = [(); 2].map(|()| gateway(&changer, Some(shared(&shelf, SECRET))));
    let subject = jwt(&json!({"exp": NOW + 30, "sub": "alice"}));
    assert!(exchanged(&fleet[0].0, &subject).await.is_ok());
    for (_, clock) in &fleet {
        clock.advance(A_SECOND);
    }
    for second in 1..40 {
        for (gateway, clock) in &fleet {
            let before = changer.asked().len();
            let outcome = exchanged(gateway, &subject).await;
            assert_eq!(text(&outcome), format!("for-{subject}"));
            let is_asked = changer.asked().len() > before;
            assert_eq!(is_asked, second >= 30, "{second}");
            clock.advance(A_SECOND);
        }
        // Who asked has waited for a second already, the other gateway has not.
        if second < 30 {
            advance(A_SECOND).await;
        }
    }
    assert_eq!(fleet[1].0.figures().from_store, 1);
}

// Holds CA-09.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_taken_is_remembered_briefly_and_alone() {
    let changer = Arc::default();
    let (gateway, _) = gateway(&changer, None);
    assert!(exchanged(&gateway, "good").await.is_ok());
    for _ in 0..5 {
        let outcome = exchanged(&gateway, "bad").await;
        let fault = outcome.map(|_| ()).expect_err("no token");
        assert!(matches!(fault, TokenFault::InvalidSubject(_)), "{fault}");
        assert!(!fault.to_string().contains("bad"), "{fault}");
        assert!(exchanged(&gateway, "good").await.is_ok());
    }
    assert_eq!(changer.asked(), ["good", "bad"]);
    advance(A_SECOND).await;
    assert!(exchanged(&gateway, "bad").await.is_err());
    assert_eq!(changer.asked(), ["good", "bad", "bad"]);
}

// Holds CA-10.
#[tokio::test(start_paused = true)]
async fn tokens_of_many_callers_take_bounded_memory() {
    let changer = Arc::default();
    let (gateway, _) = gateway(&changer, None);
    let long = "x".repeat(16_000);
    for number in 0..1500 {
        let outcome = exchanged(&gateway, &format!("{number}-{long}")).await;
        assert!(outcome.is_ok());
    }
    // 64 MiB, at four bytes and more for each of a token's.
    let kept = gateway.0.engine.kept.all().len();
    assert!((500..1100).contains(&kept), "{kept}");
}

// Holds CA-01.
#[test]
fn the_key_of_an_exchanged_token_has_all_that_it_depends_on() {
    let hasher = Hasher::new(&SeededRandom::new(42));
    let entra = Grant::Exchange(Method::EntraId);
    let grants = [
        Grant::ClientCredentials,
        by_rfc8693(None, None),
        by_rfc8693(Some(JWT), None),
        by_rfc8693(None, Some("service")),
        by_rfc8693(None, Some("another")),
        entra,
    ];
    let mut keys = Vec::new();
    for grant in grants {
        let options = Options { grant, ..options() };
        for subject in [None, Some("alice"), Some("bob"), Some("")] {
            let asker = Asker {
                readings: credentials("gw", "secret").into(),
                subject: subject.map(|token| Arc::new(SecretString::from(token))),
            };
            keys.push(hasher.tokens(&options).key(&asker).expect("a key"));
        }
    }
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
}
