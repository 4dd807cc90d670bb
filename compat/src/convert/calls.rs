//! Recordings of the command line.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{text, text_map, without_wording};
use crate::scenario::{CallStep, Outcome, Scenario};

/// Addresses of the recorded server, and what stands for ours.
const ADDRESSES: &[(&str, &str)] = &[
    ("http://127.0.0.1:4444", "{{public}}"),
    ("http://127.0.0.1:4445", "{{admin}}"),
    ("sqlite://FILE", "sqlite://{{folder}}/db.sqlite"),
];

/// Values that the recordings use without saying where they come from: scenario, step, name, member.
const KEPT: &[(&str, usize, &str, &str)] = &[
    ("create-oauth2-client", 1, "c1", "client_id"),
    ("create-oauth2-client", 2, "c2", "client_id"),
    ("clients-and-tokens", 13, "tok", "access_token"),
    ("tokens-more", 2, "tok", "access_token"),
];

/// Files that the recordings name; what they hold follows from what is printed.
const FILES: &[(&str, &str)] = &[
    ("one.json", r#"{"client_secret":"file-secret"}"#),
    (
        "imp.json",
        r#"[{"client_name":"imported-1","client_secret":"imported-secret","grant_types":["client_credentials"]},{"client_name":"imported-2"}]"#,
    ),
    ("bad.json", "["),
    (
        "k.pem",
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkfHViaZtQhsv0HDS\nZHPF0+bKFSGzmbiOFaFkOXL/3k2hRANCAASB4NGTrsey5wuSNul8TpzujM8OOG6z\nb4k1g8OSuRQfxF60hG+0/Hitpt+0KelfjMk/RcCe018ctE8dvB/aFyH4\n-----END PRIVATE KEY-----\n",
    ),
    (
        "pub.pem",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgeDRk67HsucLkjbpfE6c7ozPDjhu\ns2+JNYPDkrkUH8RetIRvtPx4rabftCnpX4zJP0XAntNfHLRPHbwf2hch+A==\n-----END PUBLIC KEY-----\n",
    ),
    (
        "k.json",
        r#"{"alg":"ES256","crv":"P-256","d":"kfHViaZtQhsv0HDSZHPF0-bKFSGzmbiOFaFkOXL_3k0","kid":"from-jwk","kty":"EC","use":"sig","x":"geDRk67HsucLkjbpfE6c7ozPDjhus2-JNYPDkrkUH8Q","y":"XrSEb7T8eK2m37Qp6V-MyT9FwJ7TXxy0Tx28H9oXIfg"}"#,
    ),
    (
        "set.json",
        r#"{"keys":[{"alg":"ES256","crv":"P-256","d":"kfHViaZtQhsv0HDSZHPF0-bKFSGzmbiOFaFkOXL_3k0","kid":"from-jwk","kty":"EC","use":"sig","x":"geDRk67HsucLkjbpfE6c7ozPDjhus2-JNYPDkrkUH8Q","y":"XrSEb7T8eK2m37Qp6V-MyT9FwJ7TXxy0Tx28H9oXIfg"}]}"#,
    ),
];

/// A recording as a scenario; one that uses what only the one before it keeps goes on with it.
pub(super) fn scenario(recording: &Value, previous: Option<&Scenario>) -> Result<Scenario> {
    let name = text(recording, "scenario");
    let steps = recording.get("steps").and_then(Value::as_array);
    let steps = steps.context("there are no steps")?;
    let calls: Vec<CallStep> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| call(&name, index + 1, step))
        .collect::<Result<_>>()?;
    let uses = |value: &str| {
        let value = format!("{{{{{value}}}}}");
        calls.iter().any(|call| call.args.contains(&value))
    };
    let after = previous
        .filter(|before| {
            before
                .calls
                .iter()
                .flat_map(|call| call.keep.keys())
                .any(|v| uses(v))
        })
        .map(|before| before.name.clone());
    let files = FILES
        .iter()
        .filter(|(file, _)| calls.iter().any(|call| call.args.iter().any(|a| a == file)))
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    Ok(Scenario {
        name,
        files,
        about: text(recording, "why"),
        after,
        calls,
        ..Scenario::default()
    })
}

fn call(scenario: &str, number: usize, step: &Value) -> Result<CallStep> {
    let args = step.get("args").context("there are no args")?;
    let args: Vec<String> = serde_json::from_value(args.clone())?;
    let words: Vec<&str> = args.iter().map(String::as_str).take(2).collect();
    let keep = KEPT
        .iter()
        .filter(|(name, at, ..)| *name == scenario && *at == number)
        .map(|(_, _, value, member)| ((*value).to_owned(), (*member).to_owned()))
        .collect();
    let env = text_map(step.get("env"));
    Ok(CallStep {
        name: format!("{number:02} {}", words.join(" ")),
        args: args.iter().map(|argument| address(argument)).collect(),
        env: env
            .into_iter()
            .map(|(name, value)| (name, address(&value)))
            .collect::<BTreeMap<_, _>>(),
        stdin: step.get("stdin").and_then(Value::as_str).map(str::to_owned),
        expect: Outcome {
            exit: step
                .get("exit")
                .and_then(Value::as_i64)
                .map(i32::try_from)
                .transpose()?,
            stdout: stdout(&words, &text(step, "stdout")),
            stderr: stderr(&text(step, "stderr"))?,
        },
        keep,
    })
}

fn address(text: &str) -> String {
    let mut text = text.to_owned();
    for (recorded, ours) in ADDRESSES {
        text = text.replace(recorded, ours);
    }
    text
}

/// Help, plans and versions are words; the rest is data.
fn stdout(words: &[&str], printed: &str) -> String {
    let is_wording = printed.contains("<usage>")
        || printed.contains("<help text>")
        || printed.starts_with("Unable")
        || matches!(words, ["version" | "migrate" | "janitor", ..]);
    if is_wording && !printed.is_empty() {
        return "<text>".to_owned();
    }
    printed.to_owned()
}

/// Keeps the API's error and that something follows it.
fn stderr(printed: &str) -> Result<String> {
    let mut values = serde_json::Deserializer::from_str(printed).into_iter::<Value>();
    match values.next() {
        Some(Ok(mut error)) if error.is_object() => {
            without_wording(&mut error);
            Ok(format!("{}\n<text>", serde_json::to_string(&error)?))
        }
        _ if printed.is_empty() => Ok(String::new()),
        _ => Ok("<text>".to_owned()),
    }
}
