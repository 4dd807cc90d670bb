//! How long a token is kept, and for whom.

use std::time::Duration;

use carnet_oauth::Clock as _;
use carnet_testkit::FixedClock;
use carnet_testkit::token_endpoint::jwt;
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::{AT_ONCE, Scripted, credentials, granted, options, refused, source};
use crate::token_source::token::{Asked, Token};
use crate::token_source::{Grant, Options, Refresh};

const MAX_AGE: Duration = Duration::from_secs(300);

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

/// For how many seconds a token is kept.
fn kept(token: &str, expires_in: &Value) -> u64 {
    let clock = FixedClock::default();
    let asked = Asked {
        at: Instant::now(),
        time: clock.now(),
    };
    let answer = granted(token, expires_in).expect("an answer");
    let token = Token::read(&answer, asked, (MAX_AGE, &Grant::ClientCredentials)).expect("a token");
    let is_fresh = |seconds: &u64| {
        let passed = Duration::from_secs(*seconds);
        token.is_fresh(Asked {
            at: asked.at + passed,
            time: asked.time + passed,
        })
    };
    (0..=400)
        .find(|seconds| !is_fresh(seconds))
        .expect("an end")
}

// Holds CA-05.
#[test]
fn a_token_is_kept_until_shortly_before_its_end_and_never_for_long() {
    let opaque = || "opaque".to_owned();
    let until = |exp: i64| jwt(&json!({"exp": exp, "sub": "id"}));
    for (token, expires_in, seconds) in [
        (opaque(), json!(60), 54),
        (opaque(), json!("60"), 54),
        (opaque(), json!(250), 240),
        (opaque(), json!(3600), 300),
        (opaque(), json!(1e18), 300),
        (opaque(), json!(i64::MAX), 300),
        (opaque(), json!(0), 0),
        (opaque(), json!(-1), 0),
        (opaque(), json!(null), 0),
        (until(NOW + 60), json!(null), 54),
        (until(NOW + 60), json!(3600), 54),
        (until(NOW + 3600), json!(60), 54),
        (until(NOW), json!(3600), 0),
        (until(NOW - 60), json!(3600), 0),
        (until(-1), json!(3600), 0),
        (until(i64::MAX), json!(null), 300),
        (jwt(&json!({"exp": "soon"})), json!(60), 54),
    ] {
        assert_eq!(kept(&token, &expires_in), seconds, "{token} {expires_in}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_time_of_day_never_makes_a_token_live_longer() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("t", &json!(100))));
    // Nothing is fetched but by the requests below: the moment of the early fetch is not theirs.
    let options = Options {
        max_age: Duration::from_secs(90),
        refresh: Refresh::OnUse,
        ..options()
    };
    let (source, clock) = source(options, &endpoint);
    let caller = credentials("id", "secret");
    assert!(source.token(&caller).await.is_ok());
    clock.turn_back(Duration::from_secs(7200));
    assert!(source.token(&caller).await.is_ok());
    assert_eq!(endpoint.calls().len(), 1);
    advance(Duration::from_secs(90)).await;
    assert!(source.token(&caller).await.is_ok());
    assert_eq!(endpoint.calls().len(), 2);
    clock.advance(Duration::from_secs(7200));
    assert!(source.token(&caller).await.is_ok());
    assert_eq!(endpoint.calls().len(), 3);
}

// Holds CA-02.
#[tokio::test(start_paused = true)]
async fn a_wrong_secret_never_hits_the_token_of_a_right_one() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "right" => (AT_ONCE, granted("t", &json!(3600))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    for _ in 0..50 {
        assert!(source.token(&credentials("id", "right")).await.is_ok());
        for wrong in ["", "righ", "right ", "wrong"] {
            assert!(source.token(&credentials("id", wrong)).await.is_err());
        }
        assert!(source.token(&credentials("idr", "ight")).await.is_err());
    }
    // The wrong ones were asked for once by each method; the refusal is remembered.
    let calls = endpoint.calls();
    let right = calls.iter().filter(|shown| shown.secret == "right");
    assert_eq!((right.count(), calls.len()), (1, 1 + 5 * 2));
}

#[tokio::test(start_paused = true)]
async fn without_a_cache_every_request_is_checked() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("t", &json!(3600))));
    let options = Options {
        is_cached: false,
        ..options()
    };
    let (source, _) = source(options, &endpoint);
    for _ in 0..3 {
        assert!(source.token(&credentials("id", "secret")).await.is_ok());
    }
    assert_eq!(endpoint.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_prints_as_nothing_and_its_claims_are_read() {
    let claims = json!({"aud": ["a"], "sub": "id", "exp": NOW + 60, "scope": "x", "jti": "1"});
    let token = jwt(&claims);
    let text = token.clone();
    let endpoint = Scripted::new(move |_, _| (AT_ONCE, granted(&text, &json!(60))));
    let (source, _) = source(options(), &endpoint);
    let kept = source.token(&credentials("id", "secret")).await;
    let kept = kept.expect("a token");
    assert_eq!(kept.bearer, format!("Bearer {token}"));
    assert_eq!(format!("{:?}", kept.bearer), "Sensitive");
    // Those that the options name, and those that a revocation may be about.
    let kept_claims = json!({"sub": "id", "exp": NOW + 60, "jti": "1"});
    assert_eq!(kept.claims, Some(kept_claims));
}
