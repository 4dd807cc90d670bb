//! Keys over time: who fetches, how often, and what happens when nobody can.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carnet_jose::{Algorithm, Jwk, JwkSet, PrivateKey, RsaBits};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::{advance, sleep};

use super::{KeySource, Keys, Published};

/// A server of keys that answers after a second.
#[derive(Default)]
struct Slow {
    names: Mutex<Vec<String>>,
    is_down: AtomicBool,
    fetched: AtomicUsize,
}

impl Slow {
    fn with(names: &[&str]) -> Arc<Self> {
        let slow = Self::default();
        slow.publish(names);
        Arc::new(slow)
    }

    fn publish(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned());
        *self.names.lock().expect("no panic") = names.collect();
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }
}

/// The same key each time a name is published.
fn key(name: &str) -> Jwk {
    static KEYS: Mutex<Vec<Jwk>> = Mutex::new(Vec::new());
    let mut keys = KEYS.lock().expect("no panic");
    if let Some(known) = keys.iter().find(|key| key.kid() == name) {
        return known.clone();
    }
    let made = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, name).expect("a key");
    keys.push(made.public_jwk().clone());
    made.public_jwk().clone()
}

impl KeySource for Slow {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        async move {
            self.fetched.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            if self.is_down.load(Ordering::Relaxed) {
                return Err("connection refused".to_owned());
            }
            let names = self.names.lock().expect("no panic").clone();
            let keys = names.iter().map(|name| key(name));
            Ok(Published {
                keys: JwkSet::new(keys.collect()),
                ..Published::default()
            })
        }
        .boxed()
    }
}

fn keys(source: &Arc<Slow>) -> Keys {
    let source: Arc<dyn KeySource> = source.clone();
    Keys::new(source)
}

// Holds F07.
#[tokio::test(start_paused = true)]
async fn however_many_wait_one_fetches() {
    let source = Slow::with(&["a"]);
    let keys = keys(&source);
    let all = join_all((0..1000).map(|_| keys.current())).await;
    assert!(all.iter().all(Option::is_some));
    assert_eq!(source.fetched(), 1);
    let known = keys.current().await.expect("keys");
    source.publish(&["a", "b"]);
    let all = join_all((0..1000).map(|_| keys.newer_than(&known, Some("b")))).await;
    assert!(all.iter().all(|newer| newer.keys.keys().len() == 2));
    assert_eq!(source.fetched(), 2);
}

// Holds F07.
#[tokio::test(start_paused = true)]
async fn names_that_nobody_has_cost_one_fetch_in_half_a_minute_also_when_their_senders_leave() {
    let source = Slow::with(&["a"]);
    let keys = keys(&source);
    let known = keys.current().await.expect("keys");
    for _ in 0..1000 {
        // Gone before the answer.
        let look = keys.newer_than(&known, Some("../../dev/null"));
        drop(tokio::time::timeout(Duration::from_millis(10), look).await);
        advance(Duration::from_millis(50)).await;
    }
    // A minute: at its beginning, after 30 s, and the first of all.
    assert!(source.fetched() <= 4, "{}", source.fetched());
}

#[tokio::test(start_paused = true)]
async fn keys_are_renewed_off_the_way_of_requests_and_stay_the_same_where_nothing_changed() {
    let source = Slow::with(&["a"]);
    let keys = keys(&source);
    let first = keys.current().await.expect("keys");
    advance(Duration::from_secs(400)).await;
    let started = tokio::time::Instant::now();
    let second = keys.current().await.expect("keys");
    assert!(Arc::ptr_eq(&first, &second) && started.elapsed().is_zero());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(source.fetched(), 2);
    let third = keys.current().await.expect("keys");
    assert!(Arc::ptr_eq(&first, &third));
    // What was withdrawn is not used once more after a long time.
    source.publish(&["b"]);
    advance(Duration::from_secs(3600)).await;
    let fourth = keys.current().await.expect("keys");
    assert_eq!(fourth.keys.keys()[0].kid(), "b");
}

// Holds F08.
#[tokio::test(start_paused = true)]
async fn while_keys_cannot_be_fetched_no_request_waits_for_them_twice() {
    let source = Slow::with(&["a"]);
    let keys = keys(&source);
    assert!(keys.current().await.is_some());
    source.is_down.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(3600)).await;
    assert!(keys.current().await.is_some());
    for _ in 0..100 {
        let started = tokio::time::Instant::now();
        assert!(keys.current().await.is_some());
        assert!(started.elapsed().is_zero());
        advance(Duration::from_secs(1)).await;
    }
    assert!(source.fetched() <= 2 + 20, "{}", source.fetched());
    // An empty set is no better than none.
    source.is_down.store(false, Ordering::Relaxed);
    source.publish(&[]);
    advance(Duration::from_secs(60)).await;
    assert!(keys.current().await.is_some());
    sleep(Duration::from_secs(2)).await;
    assert!(
        keys.current()
            .await
            .is_some_and(|keys| keys.keys.keys().len() == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn without_any_keys_who_asks_is_told_at_once_until_the_next_attempt() {
    let source = Slow::with(&[]);
    let keys = keys(&source);
    assert!(keys.current().await.is_none());
    for _ in 0..100 {
        assert!(keys.current().await.is_none());
    }
    assert_eq!(source.fetched(), 1);
    source.publish(&["a"]);
    advance(Duration::from_secs(5)).await;
    assert!(keys.current().await.is_some());
}
