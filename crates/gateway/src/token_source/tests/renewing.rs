//! Tokens fetched ahead of their end: when, for whom, and until when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};

use super::{AT_ONCE, Scripted, answer, credentials, granted, options, refused, source};
use crate::token_source::{Options, Refresh, TokenFault};

const SECOND: Duration = Duration::from_secs(1);

fn on_use() -> Options {
    Options {
        refresh: Refresh::OnUse,
        ..options()
    }
}

// Holds CA-11.
#[tokio::test(start_paused = true)]
async fn a_token_in_use_is_renewed_off_the_way_of_requests() {
    for options in [options(), on_use()] {
        let endpoint = Scripted::new(|_, _| (SECOND, granted("t", &json!(60))));
        let (source, _) = source(options, &endpoint);
        let caller = credentials("id", "secret");
        assert!(source.token(&caller).await.is_ok());
        let began = Instant::now();
        for _ in 0..1000 {
            sleep(SECOND).await;
            assert!(source.token(&caller).await.is_ok());
        }
        assert_eq!(began.elapsed(), 1000 * SECOND, "no request waited");
        let figures = source.figures();
        assert_eq!((figures.requests, figures.hits), (1001, 1000));
        // A token of 60 s, kept for 54 s, is renewed after 22 to 49 s.
        assert!((20..=46).contains(&figures.refreshes), "{figures:?}");
        assert_eq!(figures.calls, figures.refreshes + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_for_two_lifetimes_is_not_renewed() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("t", &json!(60))));
    let (source, _) = source(options(), &endpoint);
    assert!(source.token(&credentials("id", "secret")).await.is_ok());
    sleep(Duration::from_secs(3600)).await;
    let calls = endpoint.calls().len();
    assert!((3..=6).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn on_use_nothing_is_renewed_without_a_request_and_no_secret_is_kept() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("t", &json!(60))));
    let (source, _) = source(on_use(), &endpoint);
    let readings: Arc<[_]> = credentials("id", "secret").into();
    let caller = source.0.caller(Arc::clone(&readings)).expect("a reading");
    assert!(source.0.token(&caller).await.is_ok());
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(endpoint.calls().len(), 1);
    // Ours and the caller's: nobody else has them.
    assert_eq!(Arc::strong_count(&readings), 2);
}

// Holds CA-15.
#[tokio::test(start_paused = true)]
async fn a_callers_secret_goes_with_its_token_and_with_the_source() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, granted("t", &json!(60))));
    let (source, _) = source(options(), &endpoint);
    let readings: Arc<[_]> = credentials("id", "secret").into();
    let caller = source.0.caller(Arc::clone(&readings)).expect("a reading");
    assert!(source.0.token(&caller).await.is_ok());
    drop(caller);
    assert_eq!(Arc::strong_count(&readings), 2, "kept for the next call");
    // Unused for two lifetimes, it is wiped before the token itself is pushed out.
    sleep(Duration::from_secs(600)).await;
    assert_eq!(Arc::strong_count(&readings), 1);

    let caller = source.0.caller(Arc::clone(&readings)).expect("a reading");
    assert!(source.0.token(&caller).await.is_ok());
    drop(caller);
    assert_eq!(Arc::strong_count(&readings), 2);
    drop(source);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&readings), 1);
}

// Holds CA-13, F06.
#[tokio::test(start_paused = true)]
async fn a_client_that_was_removed_is_refused_within_the_greatest_age() {
    for options in [options(), on_use()] {
        let removed = Arc::new(Mutex::new(false));
        let is_removed = Arc::clone(&removed);
        let endpoint = Scripted::new(move |_, shown| {
            match *is_removed.lock().expect("no panic") && shown.id == "removed" {
                true => (AT_ONCE, refused(401, "invalid_client")),
                false => (AT_ONCE, granted("t", &json!(86_400))),
            }
        });
        let (source, _) = source(options, &endpoint);
        let (gone, stays) = (credentials("removed", "s"), credentials("stays", "s"));
        assert!(source.token(&gone).await.is_ok());
        assert!(source.token(&stays).await.is_ok());
        *removed.lock().expect("no panic") = true;
        let mut served = 0;
        for _ in 0..400 {
            sleep(SECOND).await;
            served += u32::from(source.token(&gone).await.is_ok());
            assert!(source.token(&stays).await.is_ok(), "harms no other");
        }
        assert!((100..300).contains(&served), "{served}");
    }
}

// Holds F01.
#[tokio::test(start_paused = true)]
async fn with_the_provider_down_a_token_serves_until_its_end_and_no_longer() {
    for options in [options(), on_use()] {
        let endpoint = Scripted::new(|number, _| match number {
            1 => (AT_ONCE, granted("t", &json!(100))),
            _ => (AT_ONCE, answer(500, &json!({}))),
        });
        let (source, clock) = source(options, &endpoint);
        let caller = credentials("id", "secret");
        assert!(source.token(&caller).await.is_ok());
        for second in 1..=100 {
            advance(SECOND).await;
            clock.advance(SECOND);
            tokio::task::yield_now().await;
            let outcome = source.token(&caller).await;
            assert_eq!(outcome.is_ok(), second < 90, "after {second} s");
            if let Err(fault) = outcome {
                assert!(matches!(fault, TokenFault::Unavailable { .. }), "{fault}");
            }
        }
        // The attempts meanwhile were few: what is left of the token's life was divided.
        assert!(source.figures().refreshes < 25, "{:?}", source.figures());
    }
}

// Holds CA-11, F27.
#[tokio::test(start_paused = true)]
async fn tokens_that_were_fetched_together_are_not_renewed_together() {
    let began = Instant::now();
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let endpoint = Scripted::new(move |_, _| {
        noted.lock().expect("no panic").push(began.elapsed());
        (AT_ONCE, granted("t", &json!(60)))
    });
    let (source, _) = source(options(), &endpoint);
    let callers: Vec<_> = (0..1000)
        .map(|at| credentials(&at.to_string(), "s"))
        .collect();
    for some in callers.chunks(200) {
        let loaded = join_all(some.iter().map(|caller| source.token(caller))).await;
        assert!(loaded.iter().all(Result::is_ok));
    }
    for _ in 0..30 {
        sleep(10 * SECOND).await;
        let served = join_all(callers.iter().map(|caller| source.token(caller))).await;
        assert!(served.iter().all(Result::is_ok));
    }
    assert_eq!(source.figures().hits, 30 * 1000, "no request waited");
    // Calls a second between the first round and the end, the loading left out.
    let times = times.lock().expect("no panic");
    let seconds = times.iter().map(Duration::as_secs).filter(|at| *at >= 22);
    let mut rates = vec![0_u32; 301];
    seconds.for_each(|at| rates[usize::try_from(at).expect("small")] += 1);
    let rates = &rates[22..300];
    let mean = f64::from(rates.iter().sum::<u32>()) / 278.0;
    let highest = f64::from(*rates.iter().max().expect("rates"));
    assert!(highest <= 3.0 * mean, "{highest} against {mean}: {rates:?}");
}
