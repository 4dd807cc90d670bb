//! Tokens that are verified: whose keys, which claims, and what happens when the keys are gone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, jws};
use carnet_testkit::FixedClock;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::advance;

use super::{AT_ONCE, Asked, Scripted, credentials, granted, options};
use crate::jwks::{KeySource, Published};
use crate::token_source::verify::Verifier;
use crate::token_source::{Options, Proof, Server, TokenFault, TokenSource};

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

/// A server of keys.
#[derive(Default)]
struct KeyServer {
    keys: Mutex<Vec<PrivateKey>>,
    is_down: AtomicBool,
    fetched: AtomicUsize,
}

impl KeyServer {
    /// A new key, before the others; of these, two stay.
    fn rotate(&self, name: &str) {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, name);
        let mut keys = self.keys.lock().expect("no panic");
        keys.insert(0, key.expect("a key"));
        keys.truncate(3);
    }

    /// A token of the newest key.
    fn sign(&self, claims: &Value) -> String {
        let keys = self.keys.lock().expect("no panic");
        signed(&keys[0], claims)
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }
}

fn signed(key: &PrivateKey, claims: &Value) -> String {
    let header = json!({"alg": "ES256", "kid": key.kid()}).to_string();
    jws::sign_compact(key, &header, claims.to_string().as_bytes()).expect("a signature")
}

impl KeySource for KeyServer {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        async move {
            self.fetched.fetch_add(1, Ordering::Relaxed);
            if self.is_down.load(Ordering::Relaxed) {
                return Err("connection refused".to_owned());
            }
            let keys = self.keys.lock().expect("no panic");
            let keys = keys.iter().map(|key| key.public_jwk().clone()).collect();
            Ok(Published {
                keys: JwkSet::new(keys),
                issuer: Some("https://as.example".to_owned()),
                ..Published::default()
            })
        }
        .boxed()
    }
}

/// A source whose provider gives these tokens, none of which is kept, and whose keys are there.
fn source(keys: &Arc<KeyServer>, token: impl Fn(usize) -> String + Send + Sync + 'static) -> Asked {
    let endpoint = Scripted::new(move |number, _| (AT_ONCE, granted(&token(number), &json!(60))));
    let keys: Arc<dyn KeySource> = keys.clone();
    let server = Server {
        endpoint,
        proof: Proof::Secret,
        feed: None,
        verifier: Some(Verifier::new(keys, None, "https://api.example")),
        shared: None,
    };
    let options = Options {
        is_cached: false,
        ..options()
    };
    let clock = Arc::new(FixedClock::default());
    Asked(TokenSource::new(
        options,
        server,
        &super::supplies(clock, 42),
    ))
}

fn claims() -> Value {
    json!({"iss": "https://as.example", "aud": ["https://api.example"], "sub": "id", "exp": NOW + 60})
}

fn key_server() -> Arc<KeyServer> {
    let keys = Arc::new(KeyServer::default());
    keys.rotate("first");
    keys
}

#[tokio::test(start_paused = true)]
async fn a_token_is_believed_when_signature_issuer_audience_and_times_are_right() {
    let keys = key_server();
    let stranger = KeyServer::default();
    stranger.rotate("first");
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    for (token, is_right) in [
        (keys.sign(&claims()), true),
        (keys.sign(&with("aud", json!("https://api.example"))), true),
        (keys.sign(&with("exp", json!(NOW - 59))), true),
        (keys.sign(&with("nbf", json!(NOW + 60))), true),
        (stranger.sign(&claims()), false),
        (
            keys.sign(&with("iss", json!("https://other.example"))),
            false,
        ),
        (
            keys.sign(&with("aud", json!(["https://other.example"]))),
            false,
        ),
        (keys.sign(&with("aud", json!(null))), false),
        (keys.sign(&with("exp", json!(NOW - 60))), false),
        (keys.sign(&with("exp", json!(null))), false),
        (keys.sign(&with("nbf", json!(NOW + 61))), false),
        (carnet_testkit::token_endpoint::jwt(&claims()), false),
        ("opaque".to_owned(), false),
    ] {
        let shown = token.clone();
        let source = source(&keys, move |_| token.clone());
        let outcome = source.token(&credentials("id", "s")).await;
        match outcome {
            Ok(_) => assert!(is_right, "{shown}"),
            Err(fault) => {
                assert!(
                    !is_right && matches!(fault, TokenFault::NoToken(_)),
                    "{fault}"
                );
                assert!(!fault.to_string().contains(&shown));
            }
        }
    }
}

// Holds F07.
#[tokio::test(start_paused = true)]
async fn keys_that_change_under_load_cost_a_fetch_each_and_no_token() {
    let keys = key_server();
    let signer = Arc::clone(&keys);
    let source = source(&keys, move |_| signer.sign(&claims()));
    for tenth in 0..600 {
        if tenth % 50 == 49 {
            keys.rotate(&format!("after {tenth}"));
        }
        for _ in 0..5 {
            assert!(source.token(&credentials("id", "s")).await.is_ok());
        }
        advance(Duration::from_millis(100)).await;
    }
    assert!(keys.fetched() <= 13, "{}", keys.fetched());
}

// Holds F07.
#[tokio::test(start_paused = true)]
async fn keys_that_nobody_has_are_not_looked_for_again_and_again() {
    let keys = key_server();
    let signer = Arc::clone(&keys);
    let forger = KeyServer::default();
    forger.rotate("forged");
    let source = source(&keys, move |number| match number % 2 {
        0 => signer.sign(&claims()),
        _ => {
            let keys = forger.keys.lock().expect("no panic");
            let header = json!({"alg": "ES256", "kid": number.to_string()}).to_string();
            let payload = claims().to_string();
            jws::sign_compact(&keys[0], &header, payload.as_bytes()).expect("a signature")
        }
    });
    for number in 1..=2000 {
        let outcome = source.token(&credentials("id", "s")).await;
        assert_eq!(outcome.is_ok(), number % 2 == 0);
        advance(Duration::from_millis(30)).await;
    }
    // In a minute: at the start, and each 30 seconds.
    assert!(keys.fetched() <= 4, "{}", keys.fetched());
}

// Holds F08.
#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_fetched_serve_on_for_a_day_and_no_longer() {
    let keys = key_server();
    let token = keys.sign(&claims());
    let source = source(&keys, move |_| token.clone());
    let hour = Duration::from_secs(3600);
    assert!(source.token(&credentials("id", "s")).await.is_ok());
    let kept = std::mem::take(&mut *keys.keys.lock().expect("no panic"));
    for passed in 1..30 {
        // An hour without a key in the set, one without a server, and so on.
        keys.is_down.store(passed % 2 == 0, Ordering::Relaxed);
        advance(hour).await;
        let outcome = source.token(&credentials("id", "s")).await;
        assert_eq!(outcome.is_ok(), passed < 24, "after {passed} h");
        if let Err(fault) = outcome {
            assert!(matches!(fault, TokenFault::Unverifiable), "{fault}");
        }
    }
    let before = keys.fetched();
    for _ in 0..100 {
        assert!(source.token(&credentials("id", "s")).await.is_err());
    }
    assert!(keys.fetched() <= before + 1);
    *keys.keys.lock().expect("no panic") = kept;
    keys.is_down.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(5)).await;
    assert!(source.token(&credentials("id", "s")).await.is_ok());
}
