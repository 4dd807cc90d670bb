//! Gateways that share a store: what one gets serves all, and what the store does harms nobody.

use std::sync::Arc;
use std::time::Duration;

use carnet_testkit::FixedClock;
use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};

use super::shelf::{Health, SECRET, Shelf, shared};
use super::{
    AT_ONCE, Asked, Options, Outcome, Scripted, credentials, granted, options, refused,
    source_sharing,
};
use crate::token_source::Shared;
use crate::token_source::store::Store as _;

const A_WHILE: Duration = Duration::from_secs(1);

/// Another secret of a store.
const OTHER: &str = "fedcba9876543210";

/// What is put in the place of a value, made of it and of another's.
type Lie = fn(Vec<u8>, Vec<u8>) -> Vec<u8>;

/// A gateway with this store.
fn gateway(endpoint: &Arc<Scripted>, shared: Shared) -> Arc<Asked> {
    gateway_with(options(), endpoint, shared)
}

fn gateway_with(options: Options, endpoint: &Arc<Scripted>, shared: Shared) -> Arc<Asked> {
    let clock = Arc::new(FixedClock::default());
    source_sharing(options, endpoint.clone(), clock, (42, Some(shared)))
}

/// Tokens that take a while, numbered.
fn numbered() -> Arc<Scripted> {
    Scripted::new(|number, _| (A_WHILE, granted(&format!("t{number}"), &json!(3600))))
}

fn text(outcome: &Outcome) -> &str {
    outcome.as_ref().map_or("", |token| token.text())
}

// Holds CA-16.
#[tokio::test(start_paused = true)]
async fn a_fleet_asks_once_however_many_wait_in_it() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let fleet: Vec<_> = (0..5)
        .map(|_| gateway(&endpoint, shared(&shelf, SECRET)))
        .collect();
    let caller = credentials("id", "secret");
    let asking = (0..1000).map(|at| fleet[at % 5].token(&caller));
    let outcomes = join_all(asking).await;
    assert!(outcomes.iter().all(|outcome| text(outcome) == "t1"));
    assert_eq!(endpoint.calls().len(), 1);
    let found: u64 = fleet.iter().map(|one| one.figures().from_store).sum();
    assert_eq!(found, 4);
    let saved: u64 = fleet.iter().map(|one| one.figures().saved()).sum();
    assert_eq!(saved, 999);
}

// Holds CA-16.
#[tokio::test(start_paused = true)]
async fn gateways_with_another_secret_share_nothing() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let caller = credentials("id", "secret");
    for secret in [SECRET, OTHER, SECRET] {
        let gateway = gateway(&endpoint, shared(&shelf, secret));
        assert!(gateway.token(&caller).await.is_ok());
        sleep(A_WHILE).await;
    }
    assert_eq!(endpoint.calls().len(), 2);
}

// Holds CA-03.
#[tokio::test(start_paused = true)]
async fn a_store_shows_no_client_no_secret_and_no_token() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("canary-token", &json!(3600))));
    let shelf = Shelf::new();
    let gateway = gateway(&endpoint, shared(&shelf, SECRET));
    assert!(
        gateway
            .token(&credentials("canary-id", "canary-secret"))
            .await
            .is_ok()
    );
    sleep(A_WHILE).await;
    let values = shelf.values();
    assert_eq!(values.len(), 1, "{values:?}");
    for (name, value) in values {
        let shown = format!("{name} {}", String::from_utf8_lossy(&value));
        assert!(!shown.contains("canary"), "{shown}");
        assert!(name.starts_with("gw:carnet:token:{"), "{name}");
    }
}

// Holds CA-04.
#[tokio::test(start_paused = true)]
async fn a_value_that_was_changed_moved_or_made_up_is_none() {
    let lies: [Lie; 4] = [
        |_, others| others,
        |mut own, _| {
            own[30] ^= 1;
            own
        },
        |_, _| br#"{"access_token":"x","asked_at":0,"life":9,"usable":9}"#.to_vec(),
        |_, _| Vec::new(),
    ];
    for lie in lies {
        let (endpoint, shelf) = (numbered(), Shelf::new());
        let (one, other) = (credentials("one", "s"), credentials("other", "s"));
        let first = gateway(&endpoint, shared(&shelf, SECRET));
        assert_eq!(text(&first.token(&one).await), "t1");
        sleep(A_WHILE).await;
        let name = shelf.values().into_keys().next().expect("a token");
        assert_eq!(text(&first.token(&other).await), "t2");
        sleep(A_WHILE).await;
        let mut values = shelf.values();
        let own = values.remove(&name).expect("a token");
        let others = values.into_values().next().expect("a token");
        shelf.set(&name, lie(own, others));
        let second = gateway(&endpoint, shared(&shelf, SECRET));
        assert_eq!(text(&second.token(&one).await), "t3");
        // What is right again serves again.
        sleep(A_WHILE).await;
        let third = gateway(&endpoint, shared(&shelf, SECRET));
        assert_eq!(text(&third.token(&one).await), "t3");
    }
}

// Holds CA-02.
#[tokio::test(start_paused = true)]
async fn a_wrong_secret_finds_nothing_in_the_store() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "right" => (AT_ONCE, granted("t", &json!(3600))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let shelf = Shelf::new();
    let first = gateway(&endpoint, shared(&shelf, SECRET));
    assert!(first.token(&credentials("id", "right")).await.is_ok());
    sleep(A_WHILE).await;
    let second = gateway(&endpoint, shared(&shelf, SECRET));
    assert!(second.token(&credentials("id", "wrong")).await.is_err());
    assert!(second.token(&credentials("id", "right")).await.is_ok());
    assert_eq!(second.figures().from_store, 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_in_trouble_costs_a_moment_and_no_request() {
    for health in [Health::Hanging, Health::Failing(10)] {
        let (endpoint, shelf) = (numbered(), Shelf::new());
        shelf.turn(health);
        let fleet = [SECRET; 2].map(|secret| gateway(&endpoint, shared(&shelf, secret)));
        let caller = credentials("id", "secret");
        let began = Instant::now();
        let outcomes = join_all(fleet.iter().map(|one| one.token(&caller))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert!(began.elapsed() <= A_WHILE + Duration::from_millis(60));
        assert_eq!(endpoint.calls().len(), 2);
        // Once it is well again, it is used again.
        shelf.recover();
        let caller = credentials("other", "secret");
        let outcomes = join_all(fleet.iter().map(|one| one.token(&caller))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(endpoint.calls().len(), 3);
    }
}

// Holds F28.
#[tokio::test(start_paused = true)]
async fn a_lease_ends_two_seconds_after_its_holder_did() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let first = gateway(&endpoint, shared(&shelf, SECRET));
    let caller = credentials("id", "secret");
    assert!(first.token(&caller).await.is_ok());
    // The name of the lease is the token's but for a word; its holder is nobody who lives.
    let token = shelf.values().into_keys().next().expect("a token");
    sleep(A_WHILE).await;
    shelf.remove(&token).await.expect("well");
    let lease = token.replace("token", "lease");
    let life = Duration::from_secs(2);
    assert_eq!(shelf.take(&lease, b"dead", life).await, Ok(true));
    let second = gateway(&endpoint, shared(&shelf, SECRET));
    let began = Instant::now();
    assert_eq!(text(&second.token(&caller).await), "t2");
    assert!(began.elapsed() <= life + A_WHILE + Duration::from_millis(110));
}

#[tokio::test(start_paused = true)]
async fn a_slow_exchange_keeps_its_lease() {
    let slow = Duration::from_secs(4);
    let endpoint = Scripted::new(move |_, _| (slow, granted("t", &json!(3600))));
    let shelf = Shelf::new();
    let fleet = [SECRET; 3].map(|secret| gateway(&endpoint, shared(&shelf, secret)));
    let caller = credentials("id", "secret");
    let outcomes = join_all(fleet.iter().map(|one| one.token(&caller))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(endpoint.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_one_fails_the_next_one_asks() {
    let endpoint = Scripted::new(|number, _| match number {
        1 => (A_WHILE, refused(400, "invalid_scope")),
        _ => (AT_ONCE, granted("t", &json!(3600))),
    });
    let shelf = Shelf::new();
    let fleet = [SECRET; 2].map(|secret| gateway(&endpoint, shared(&shelf, secret)));
    let caller = credentials("id", "secret");
    let outcomes = join_all(fleet.iter().map(|one| one.token(&caller))).await;
    assert_eq!(outcomes.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(endpoint.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_of_a_fleet_renews_for_all() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let fleet = [SECRET; 4].map(|secret| gateway(&endpoint, shared(&shelf, secret)));
    let caller = credentials("id", "secret");
    // Half an hour, in which a token is kept for five minutes.
    for _ in 0..180 {
        for one in &fleet {
            assert!(one.token(&caller).await.is_ok());
        }
        advance(Duration::from_secs(10)).await;
        sleep(A_WHILE).await;
    }
    let calls = endpoint.calls().len();
    assert!((6..=16).contains(&calls), "{calls}");
}

// Holds CA-13.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_leaves_the_store_too() {
    let endpoint = Scripted::new(|number, _| match number {
        1 => (AT_ONCE, granted("t", &json!(3600))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let shelf = Shelf::new();
    let first = gateway(&endpoint, shared(&shelf, SECRET));
    let caller = credentials("id", "secret");
    assert!(first.token(&caller).await.is_ok());
    // The early call is refused.
    sleep(Duration::from_secs(290)).await;
    assert_eq!(shelf.values().len(), 0);
    let second = gateway(&endpoint, shared(&shelf, SECRET));
    assert!(second.token(&caller).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_backend_did_not_take_is_not_taken_from_the_store_again() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let first = gateway(&endpoint, shared(&shelf, SECRET));
    let caller = credentials("id", "secret");
    let token = first.token(&caller).await.expect("a token");
    sleep(Duration::from_secs(10)).await;
    let asking = first.0.caller(caller.clone()).expect("a reading");
    assert!(first.0.reject(&asking, &token));
    assert_eq!(text(&first.token(&caller).await), "t2");
    sleep(A_WHILE).await;
    let second = gateway(&endpoint, shared(&shelf, SECRET));
    assert_eq!(text(&second.token(&caller).await), "t2");
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_secret_sealed_is_read_and_sealed_anew() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let caller = credentials("id", "secret");
    let before = gateway(&endpoint, shared(&shelf, OTHER));
    assert!(before.token(&caller).await.is_ok());
    sleep(A_WHILE).await;
    let secrets = [SECRET, OTHER].map(SecretString::from);
    let both = Shared::new(shelf.clone(), "gw:", &secrets, Vec::new()).expect("secrets");
    let rotated = gateway(&endpoint, both);
    assert_eq!(text(&rotated.token(&caller).await), "t1");
    assert_eq!(endpoint.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_from_the_store_is_no_younger_than_it_is() {
    let endpoint =
        Scripted::new(|number, _| (AT_ONCE, granted(&format!("t{number}"), &json!(100))));
    let shelf = Shelf::new();
    let caller = credentials("id", "secret");
    let first = gateway(&endpoint, shared(&shelf, SECRET));
    assert!(first.token(&caller).await.is_ok());
    sleep(Duration::from_secs(30)).await;
    // The clocks of the gateways stand still: the store alone knows how old it is.
    let second = gateway(&endpoint, shared(&shelf, SECRET));
    let token = second.token(&caller).await.expect("a token");
    let age = token.asked_at().elapsed();
    assert!(age >= Duration::from_secs(29), "{age:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_memory_there_is_no_store() {
    let (endpoint, shelf) = (numbered(), Shelf::new());
    let options = Options {
        is_cached: false,
        ..options()
    };
    let gateway = gateway_with(options, &endpoint, shared(&shelf, SECRET));
    for _ in 0..2 {
        assert!(gateway.token(&credentials("id", "secret")).await.is_ok());
    }
    assert_eq!(endpoint.calls().len(), 2);
    assert_eq!(shelf.values().len(), 0);
}
