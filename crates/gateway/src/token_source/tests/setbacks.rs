//! What is remembered of a provider that said no, that wants patience, or that is down.

use std::time::Duration;

use futures_util::future::join_all;
use http::header::RETRY_AFTER;
use serde_json::json;
use tokio::time::{advance, sleep};

use super::{AT_ONCE, Scripted, Step, answer, credentials, granted, options, refused, source};
use crate::token_source::endpoint::CallFailure;
use crate::token_source::{Options, TokenFault};

const SECOND: Duration = Duration::from_secs(1);

fn busy(status: u16, seconds: &'static str) -> Step {
    let mut response = answer(status, &json!({})).expect("an answer");
    let value = seconds.parse().expect("a value");
    response.headers_mut().insert(RETRY_AFTER, value);
    (AT_ONCE, Ok(response))
}

fn down() -> Step {
    let cause = "connection refused".to_owned();
    (AT_ONCE, Err(CallFailure::Transport(cause)))
}

// Holds CA-09.
#[tokio::test(start_paused = true)]
async fn a_refused_secret_is_refused_from_memory_for_longer_each_time_and_never_for_long() {
    let endpoint = Scripted::new(|_, _| (AT_ONCE, refused(401, "invalid_client")));
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "wrong");
    let mut pauses = Vec::new();
    let mut since = 0;
    let mut calls = 0;
    for tenth in 0..200 {
        let outcome = source.token(&caller).await;
        assert!(matches!(outcome, Err(TokenFault::InvalidClient(_))));
        if endpoint.calls().len() > calls {
            calls = endpoint.calls().len();
            pauses.push(tenth - since);
            since = tenth;
        }
        advance(SECOND / 10).await;
    }
    // In tenths of a second.
    assert_eq!(pauses, [0, 10, 20, 40, 50, 50]);
    assert_eq!(source.figures().refused, 6);
    assert_eq!(source.figures().refused_from_memory, 194);
}

// Holds CA-02, CA-09.
#[tokio::test(start_paused = true)]
async fn a_right_secret_is_never_refused_because_of_wrong_ones() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "right" => (AT_ONCE, granted("t", &json!(1))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    for attempt in 0..500 {
        let wrong = credentials("id", &format!("wrong {attempt}"));
        assert!(source.token(&wrong).await.is_err());
        assert!(source.token(&credentials("id", "right")).await.is_ok());
        advance(SECOND / 10).await;
    }
}

// Holds CA-09.
#[tokio::test(start_paused = true)]
async fn a_client_that_was_just_made_is_in_within_five_seconds() {
    let endpoint = Scripted::new(|number, _| match number {
        ..=16 => (AT_ONCE, refused(401, "invalid_client")),
        _ => (AT_ONCE, granted("t", &json!(3600))),
    });
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "secret");
    while endpoint.calls().len() < 16 {
        assert!(source.token(&caller).await.is_err());
        advance(SECOND / 10).await;
    }
    advance(5 * SECOND).await;
    assert!(source.token(&caller).await.is_ok());
}

// Holds CA-10.
#[tokio::test(start_paused = true)]
async fn a_flood_of_wrong_clients_pushes_out_no_token() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "right" => (AT_ONCE, granted("t", &json!(86_400))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    let good: Vec<_> = (0..100)
        .map(|at| credentials(&at.to_string(), "right"))
        .collect();
    for caller in &good {
        assert!(source.token(caller).await.is_ok());
    }
    for attempt in 0..20_000 {
        let wrong = credentials(&format!("nobody {attempt}"), "wrong");
        assert!(source.token(&wrong).await.is_err());
    }
    for caller in &good {
        assert!(source.token(caller).await.is_ok());
    }
    assert_eq!(source.figures().hits, 100);
}

// Holds F05.
#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_patience_gets_it_for_that_key_alone() {
    for status in [429, 503] {
        let endpoint = Scripted::new(move |_, shown| match shown.id.as_str() {
            "hasty" => busy(status, "10"),
            _ => (AT_ONCE, granted("t", &json!(3600))),
        });
        let (source, _) = source(options(), &endpoint);
        let hasty = credentials("hasty", "s");
        for second in 0..10_u64 {
            let fault = source.token(&hasty).await.err().expect("a fault");
            // Whoever waits for as long as told comes when the provider wants it.
            let wait = fault.retry_after().expect("a wait");
            assert_eq!(wait, Duration::from_secs(10 - second));
            advance(SECOND).await;
        }
        assert_eq!(endpoint.calls().len(), 1);
        assert!(source.token(&credentials("other", "s")).await.is_ok());
        assert!(source.token(&hasty).await.is_err());
        assert_eq!(endpoint.calls().len(), 3, "asked again after its time");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_cache_a_wish_for_patience_is_kept_too() {
    let endpoint = Scripted::new(|_, _| busy(429, "10"));
    let options = Options {
        is_cached: false,
        ..options()
    };
    let (source, _) = source(options, &endpoint);
    for _ in 0..5 {
        assert!(source.token(&credentials("id", "s")).await.is_err());
    }
    assert_eq!(endpoint.calls().len(), 1);
}

// Holds F02.
#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_asked_once_a_second_and_found_when_it_is_back() {
    let endpoint = Scripted::new(|number, _| match number {
        ..=24 => down(),
        _ => (AT_ONCE, granted("t", &json!(3600))),
    });
    let (source, _) = source(options(), &endpoint);
    let callers: Vec<_> = (0..100)
        .map(|at| credentials(&at.to_string(), "s"))
        .collect();
    let mut last = 5;
    loop {
        let outcomes = join_all(callers.iter().take(10).map(|one| source.token(one))).await;
        let calls = endpoint.calls().len();
        if outcomes.iter().any(Result::is_ok) {
            break;
        }
        for outcome in outcomes {
            let wait = outcome.err().and_then(|fault| fault.retry_after());
            assert!(wait.is_some_and(|wait| wait <= SECOND), "{wait:?}");
        }
        // Those that were on their way when it opened, then one a second.
        assert!(calls <= last.max(10) + 1, "{calls} after {last}");
        last = calls;
        sleep(SECOND).await;
    }
    let outcomes = join_all(callers.iter().map(|caller| source.token(caller))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(source.figures().kept_back > 50);
}

#[tokio::test(start_paused = true)]
async fn answers_that_only_refuse_never_keep_calls_back() {
    let endpoint = Scripted::new(|number, _| match number % 4 {
        0 => (AT_ONCE, refused(400, "invalid_scope")),
        1 => (AT_ONCE, refused(401, "invalid_client")),
        2 => (AT_ONCE, answer(429, &json!({}))),
        _ => (AT_ONCE, answer(200, &json!({}))),
    });
    let options = Options {
        max_retries: 0,
        ..options()
    };
    let (source, _) = source(options, &endpoint);
    for attempt in 0..200 {
        let caller = credentials(&attempt.to_string(), "s");
        assert!(source.token(&caller).await.is_err());
    }
    assert_eq!(source.figures().kept_back, 0);
}

#[tokio::test(start_paused = true)]
async fn failing_calls_are_repeated_for_a_fifth_of_all_and_one_a_second() {
    let endpoint = Scripted::new(|number, _| match number % 2 {
        0 => (AT_ONCE, answer(500, &json!({}))),
        _ => (AT_ONCE, granted("t", &json!(0))),
    });
    let (source, _) = source(options(), &endpoint);
    for attempt in 0..1000 {
        let _ = source.token(&credentials(&attempt.to_string(), "s")).await;
    }
    let figures = source.figures();
    let bound = (figures.calls - figures.retries) / 5 + 10;
    assert!(figures.retries > 100, "{figures:?}");
    // The time that passed is that of the waits, less than a tenth of a second each.
    assert!(
        figures.retries <= bound + figures.retries / 10 + 1,
        "{figures:?}"
    );
}
