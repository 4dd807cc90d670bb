//! Methods, retries, the deadline, and what each answer comes to.

use std::time::Duration;

use bytes::Bytes;
use carnet_oauth::client_auth::{Credentials, Method};
use http::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::json;
use tokio::time::Instant;

use super::{AT_ONCE, Scripted, answer, credentials, granted, options, refused, source};
use crate::token_source::endpoint::CallFailure;
use crate::token_source::{Options, TokenFault};

const NEVER: Duration = Duration::from_secs(3600);

fn unavailable(cause: &str, asked: Option<u64>) -> TokenFault {
    TokenFault::unavailable(cause, asked.map(Duration::from_secs))
}

async fn fault_of(step: super::Step) -> (TokenFault, usize) {
    let step = std::sync::Mutex::new(step);
    let endpoint = Scripted::new(move |_, _| {
        let step = step.lock().expect("no panic");
        let result = match &step.1 {
            Ok(response) => Ok(response.clone()),
            Err(failure) => Err(failure.clone()),
        };
        (step.0, result)
    });
    let (source, _) = source(options(), &endpoint);
    let outcome = source.token(&credentials("id", "secret")).await;
    (outcome.err().expect("a fault"), endpoint.calls().len())
}

#[tokio::test(start_paused = true)]
async fn only_failures_that_may_pass_are_repeated() {
    let broken = || Err(CallFailure::Transport("connection refused".to_owned()));
    let garbled = || Err(CallFailure::Garbled("no HTTP".to_owned()));
    let body = json!({});
    for (result, fault, calls) in [
        (broken(), unavailable("connection refused", None), 4),
        (answer(500, &body), unavailable("status 500", None), 4),
        (answer(503, &body), unavailable("status 503", None), 4),
        (answer(429, &body), unavailable("status 429", None), 4),
        (garbled(), TokenFault::NoToken("no HTTP".to_owned()), 1),
        (Err(CallFailure::TimedOut), TokenFault::TimedOut, 1),
        (
            answer(302, &body),
            TokenFault::NoToken("status 302".to_owned()),
            1,
        ),
        (
            refused(400, "invalid_scope"),
            TokenFault::Denied("status 400, error \"invalid_scope\"".to_owned()),
            1,
        ),
        (
            answer(404, &body),
            TokenFault::Denied("status 404, error \"\"".to_owned()),
            1,
        ),
        (
            refused(400, "invalid_client"),
            TokenFault::InvalidClient("status 400, error \"invalid_client\"".to_owned()),
            2,
        ),
        (
            answer(401, &body),
            TokenFault::InvalidClient("status 401, error \"\"".to_owned()),
            2,
        ),
    ] {
        assert_eq!(fault_of((AT_ONCE, result)).await, (fault, calls));
    }
}

// Holds TE-29.
#[tokio::test(start_paused = true)]
async fn answers_that_carry_no_bearer_token_are_no_token() {
    let token = |body| answer(200, &body);
    let mut page = granted("t", &json!(60)).expect("an answer");
    page.headers_mut()
        .insert(CONTENT_TYPE, "text/html".parse().expect("a value"));
    let empty = Response::new(Bytes::new());
    for result in [
        token(json!({"access_token": "t", "token_type": "mac"})),
        token(json!({"access_token": "t"})),
        token(json!({"access_token": ["t"], "token_type": "bearer"})),
        token(json!({"access_token": "", "token_type": "bearer"})),
        token(json!({"access_token": "a\r\nX: y", "token_type": "bearer"})),
        token(json!({"access_token": "a b", "token_type": "bearer"})),
        token(json!({"access_token": "a".repeat(70_000), "token_type": "bearer"})),
        token(json!({"token_type": "bearer"})),
        token(json!([])),
        Ok(page),
        Ok(empty),
    ] {
        let shown = format!("{result:?}");
        let (fault, calls) = fault_of((AT_ONCE, result)).await;
        assert!(
            matches!(fault, TokenFault::NoToken(_)) && calls == 1,
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_one_for_all_attempts_and_one_that_timed_out_is_the_last() {
    let endpoint = Scripted::new(|number, _| match number {
        1 => (Duration::from_secs(2), answer(500, &json!({}))),
        _ => (NEVER, Err(CallFailure::TimedOut)),
    });
    let (source, _) = source(options(), &endpoint);
    let began = Instant::now();
    let outcome = source.token(&credentials("id", "secret")).await;
    assert_eq!(outcome.err(), Some(TokenFault::TimedOut));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(endpoint.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_kept_when_there_is_time_and_handed_on_when_there_is_not() {
    let busy = |seconds: &'static str| {
        let mut response = answer(429, &json!({})).expect("an answer");
        let value = seconds.parse().expect("a value");
        response.headers_mut().insert(RETRY_AFTER, value);
        Ok(response)
    };
    let endpoint = Scripted::new(move |number, shown| match (number, shown.id.as_str()) {
        (1, _) => (AT_ONCE, busy("2")),
        (_, "patient") => (AT_ONCE, granted("t", &json!(60))),
        _ => (AT_ONCE, busy("10")),
    });
    let (source, _) = source(options(), &endpoint);
    let began = Instant::now();
    assert!(source.token(&credentials("patient", "s")).await.is_ok());
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    let outcome = source.token(&credentials("other", "s")).await;
    assert_eq!(outcome.err(), Some(unavailable("status 429", Some(10))));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn the_other_method_is_the_second_chance_and_what_worked_is_remembered() {
    for (first_method, other) in [(Method::Post, Method::Basic), (Method::Basic, Method::Post)] {
        let endpoint = Scripted::new(move |_, shown| match shown.method == other {
            true => (AT_ONCE, granted("t", &json!(0))),
            false => (AT_ONCE, refused(401, "invalid_client")),
        });
        let options = Options {
            first_method,
            ..options()
        };
        let (source, _) = source(options, &endpoint);
        for _ in 0..2 {
            assert!(source.token(&credentials("id", "secret")).await.is_ok());
        }
        let methods: Vec<Method> = endpoint.calls().iter().map(|shown| shown.method).collect();
        assert_eq!(methods, [first_method, other, other]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_that_no_longer_works_is_forgotten() {
    let endpoint = Scripted::new(|_, shown| match (shown.method, shown.secret.as_str()) {
        (Method::Basic, "right") => (AT_ONCE, granted("t", &json!(0))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    for secret in ["right", "wrong", "right"] {
        let outcome = source.token(&credentials("id", secret)).await;
        assert_eq!(outcome.is_ok(), secret == "right");
    }
    let methods: Vec<Method> = endpoint.calls().iter().map(|shown| shown.method).collect();
    let (post, basic) = (Method::Post, Method::Basic);
    assert_eq!(methods, [post, basic, basic, post, post, basic]);
}

#[tokio::test(start_paused = true)]
async fn another_reading_of_the_credentials_is_tried_where_no_method_was_right() {
    let endpoint = Scripted::new(|_, shown| match shown.secret.as_str() {
        "a b" => (AT_ONCE, granted("t", &json!(60))),
        _ => (AT_ONCE, refused(401, "invalid_client")),
    });
    let (source, _) = source(options(), &endpoint);
    let readings = ["a+b", "a b"].map(|secret| Credentials {
        id: "id".to_owned(),
        secret: SecretString::from(secret),
    });
    assert!(source.token(&readings).await.is_ok());
    let secrets: Vec<String> = endpoint
        .calls()
        .into_iter()
        .map(|shown| shown.secret)
        .collect();
    assert_eq!(secrets, ["a+b", "a+b", "a b"]);
}
