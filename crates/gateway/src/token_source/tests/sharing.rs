//! One exchange for everybody who waits for the same token.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{advance, timeout};

use super::{AT_ONCE, Scripted, answer, credentials, granted, options, refused, source};
use crate::token_source::{Options, TokenFault};

const A_WHILE: Duration = Duration::from_secs(1);

// Holds CA-07.
#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_one_key_make_one_call() {
    let endpoint = Scripted::new(|_, _| (A_WHILE, granted("t", &json!(3600))));
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "secret");
    let outcomes = join_all((0..1000).map(|_| source.token(&caller))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(endpoint.calls().len(), 1);
}

// Holds CA-07.
#[tokio::test(start_paused = true)]
async fn a_first_caller_who_leaves_takes_nothing_from_the_others() {
    let endpoint = Scripted::new(|_, _| (A_WHILE, granted("t", &json!(3600))));
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "secret");
    let first = timeout(A_WHILE / 2, source.token(&caller));
    let others = join_all((0..10).map(|_| source.token(&caller)));
    let (first, others) = tokio::join!(first, others);
    assert!(first.is_err() && others.iter().all(Result::is_ok));
    assert_eq!(endpoint.calls().len(), 1);
}

// Holds CA-08.
#[tokio::test(start_paused = true)]
async fn callers_with_different_secrets_never_share() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "right" => (A_WHILE, granted("t", &json!(3600))),
        _ => (A_WHILE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    let (right, wrong) = (credentials("id", "right"), credentials("id", "wrong"));
    let (right, wrong) = tokio::join!(
        join_all((0..50).map(|_| source.token(&right))),
        join_all((0..50).map(|_| source.token(&wrong))),
    );
    assert!(right.iter().all(Result::is_ok));
    assert!(wrong.iter().all(Result::is_err));
}

// Holds CA-09.
#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_with_those_who_waited_and_kept_for_nobody() {
    let endpoint = Scripted::new(|number, _| match number {
        1 => (A_WHILE, answer(500, &json!({}))),
        _ => (A_WHILE, granted("t", &json!(3600))),
    });
    let options = Options {
        max_retries: 0,
        ..options()
    };
    let (source, _) = source(options, &endpoint);
    let caller = credentials("id", "secret");
    let outcomes = join_all((0..20).map(|_| source.token(&caller))).await;
    let fault = TokenFault::unavailable("status 500", None);
    assert!(
        outcomes
            .into_iter()
            .all(|outcome| outcome.err() == Some(fault.clone()))
    );
    assert_eq!(endpoint.calls().len(), 1);
    assert!(source.token(&caller).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_kept_still_serves_all_who_waited_for_it() {
    let endpoint = Scripted::new(|_, _| (A_WHILE, granted("t", &json!(null))));
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "secret");
    for calls in [1, 2] {
        let outcomes = join_all((0..20).map(|_| source.token(&caller))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(endpoint.calls().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_nobody_waits_and_nothing_is_sent() {
    let endpoint = Scripted::new(|_, _| (A_WHILE, granted("t", &json!(3600))));
    let (source, _) = source(options(), &endpoint);
    let callers: Vec<_> = (0..300)
        .map(|at| credentials(&at.to_string(), "s"))
        .collect();
    let outcomes = join_all(callers.iter().map(|caller| source.token(caller))).await;
    let busy = |outcome: &super::super::Outcome| outcome.as_ref().err() == Some(&TokenFault::Busy);
    assert_eq!(outcomes.iter().filter(|outcome| busy(outcome)).count(), 44);
    assert_eq!(endpoint.calls().len(), 256);
    // Those who were sent away find a place once the others are served.
    assert!(source.token(&callers[299]).await.is_ok());

    let one = credentials("one", "s");
    let outcomes = join_all((0..16_484).map(|_| source.token(&one))).await;
    assert_eq!(outcomes.iter().filter(|outcome| busy(outcome)).count(), 100);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_dies_frees_its_place() {
    let endpoint = Scripted::new(|number, _| {
        assert!(number > 1, "the first call dies");
        (AT_ONCE, granted("t", &json!(3600)))
    });
    let (source, _) = source(options(), &endpoint);
    let caller = credentials("id", "secret");
    let outcome = Arc::clone(&source).token(&caller).await;
    assert!(matches!(outcome, Err(TokenFault::Unavailable { .. })));
    advance(A_WHILE).await;
    assert!(source.token(&caller).await.is_ok());
}
