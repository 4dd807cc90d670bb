//! The player against a server that answers as told.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::{Command, Output};

use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use serde_json::json;
use tempfile::TempDir;

const SCENARIO: &str = r#"{
  "name": "tokens",
  "requests": [
    {"name": "create",
     "send": {"to": "admin", "method": "POST", "path": "/admin/clients", "body": {"json": {"client_name": "a"}}},
     "expect": {"status": 201, "headers": [["Content-Type", "application/json"]], "json": {"client_id": "{{id}}"}, "final_newline": false},
     "keep": {"id": "client_id"}},
    {"name": "token",
     "send": {"to": "public", "method": "POST", "path": "/oauth2/token", "headers": [["Authorization", "Basic base64({{id}}:secret)"]], "body": {"form": [["grant_type", "client_credentials"]]}},
     "expect": {"status": 200, "headers": [["Content-Type", "application/json"]], "json": {"access_token": "<opaque>", "expires_in": 3599}, "final_newline": false}},
    {"name": "assertion",
     "send": {"to": "public", "method": "POST", "path": "/oauth2/token", "body": {"form": [["client_assertion", {"odd": {}}]]}},
     "expect": {"status": 200}},
    {"name": "a value nobody kept",
     "send": {"to": "public", "method": "GET", "path": "/{{nowhere}}"},
     "expect": {"status": 200}}
  ]
}"#;

/// Answers as the scenario expects, but for the lifetime.
fn answer(request: &Request, expires_in: u32) -> Answer {
    if request.target.starts_with("/admin/clients") {
        return Answer::json(201, &json!({"client_id": "c-1"}));
    }
    let credentials = request.headers.all("authorization");
    if credentials != ["Basic Yy0xOnNlY3JldA=="] {
        return Answer::text(401, "no");
    }
    Answer::json(200, &json!({"access_token": "t", "expires_in": expires_in}))
}

fn folder(differences: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let product = folder.path().join("scenarios/product");
    fs::create_dir_all(&product).unwrap();
    fs::write(product.join("01-tokens.json"), SCENARIO).unwrap();
    fs::write(folder.path().join("differences.yaml"), differences).unwrap();
    fs::write(folder.path().join("not_run.yaml"), "[]").unwrap();
    folder
}

async fn play(expires_in: u32, differences: &str, more: &[&str]) -> (Option<i32>, String) {
    let server = Server::start(move |request| answer(request, expires_in))
        .await
        .unwrap();
    let folder = folder(differences);
    let address = format!("http://{}", server.address());
    let mut command = Command::new(env!("CARGO_BIN_EXE_compat"));
    command
        .args(["run", "--public", &address, "--admin", &address, "--folder"])
        .arg(folder.path())
        .args(more);
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_alike_passes_and_what_was_left_out_is_told() {
    let (code, text) = play(3599, "[]", &[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("same      create"), "{text}");
    assert!(text.contains("same      token"), "{text}");
    assert!(
        text.contains("NOT RUN: needs a value of an unknown kind"),
        "{text}"
    );
    assert!(text.contains("NOT RUN: needs `nowhere`"), "{text}");
    assert!(text.contains("4 steps: 2 same, 0 with listed differences, 0 differ, 2 not run"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_fails_the_run_and_says_where() {
    let (code, text) = play(60, "[]", &[]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("DIFFERS   token"), "{text}");
    assert!(
        text.contains("body.expires_in: 3599 expected, 60 found"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_difference_passes_unless_the_run_is_strict() {
    let listed = "
- id: short-tokens
  what: lifetime
  other: an hour
  ours: a minute
  why: a test
  shows:
  - scenario: tokens
    steps: [token]
    at: [body.expires_in]
";
    let (code, text) = play(60, listed, &[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("listed    token (short-tokens)"), "{text}");
    let (code, text) = play(60, listed, &["--strict"]).await;
    assert_eq!(code, Some(1), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_stands_instead_is_compared_as_strictly() {
    let instead = |status| {
        format!(
            "
- id: other-answer
  what: answer of the token endpoint
  other: one
  ours: another
  why: a test
  shows:
  - scenario: tokens
    steps: [token]
    instead:
      status: {status}
      headers: [[Content-Type, application/json]]
      json: {{access_token: t, expires_in: 60}}
      final_newline: false
"
        )
    };
    let (code, text) = play(60, &instead(200), &[]).await;
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = play(60, &instead(201), &[]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("status: 201 expected, 200 found"), "{text}");
}
