//! `introspect token`: whether a token counts and what it says (RFC 7662).

use std::borrow::Cow;

use carnet_oauth::form;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::api::{self, Api};
use crate::args::{ApiFlags, IntrospectToken};
use crate::commands::shown;
use crate::output::Failure;
use crate::process::Process;
use crate::report::{Report, sorted};

const HEADER: &[&str] = &[
    "ACTIVE",
    "SUBJECT",
    "CLIENT ID",
    "SCOPE",
    "EXPIRY",
    "TOKEN USE",
];

/// Asks about the token and prints the answer. A token that does not count is no failure.
pub(super) async fn run(
    args: IntrospectToken,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let scope = args.scope.join(" ");
    let mut pairs = vec![("token", Cow::from(args.token))];
    if !scope.is_empty() {
        pairs.push(("scope", Cow::from(scope)));
    }
    let request = api
        .request(Method::POST, &["admin", "oauth2", "introspect"])
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form::encode_pairs(pairs));
    report(api::send(request).await?.json()?).print(api_flags, process)
}

/// What the server said, without what it said nothing about.
fn report(mut answer: Map<String, Value>) -> Report {
    answer.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
    let text = |name: &str| match answer.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let active = answer.get("active") == Some(&Value::Bool(true));
    let end = answer
        .get("exp")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let end = Timestamp::from_second(end)
        .map(shown::time)
        .unwrap_or_default();
    let row = vec![
        active.to_string(),
        text("sub"),
        text("client_id"),
        text("scope"),
        end,
        text("token_use"),
    ];
    Report::object(HEADER, row, sorted(Value::Object(answer)))
}
