//! `examples/middlewares/*.yaml`: each is read without a finding, and answers as its first lines
//! promise: `# METHOD TARGET [| FIELD: VALUE]... => STATUS[, TEXT]...`. Each text is in the answer,
//! which has in it what the service was asked; `no TEXT` is not.

use std::fs;
use std::path::{Path, PathBuf};

use carnet_config::routing::middleware::schemas;
use carnet_oauth::token_type::ACCESS_TOKEN;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::json;

use crate::stand::{Plan, Stand, Whoami};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/middlewares");

/// Where the examples expect a service, and an authorization server.
const SERVICE: &str = "http://127.0.0.1:3000";
const TOKENS: &str = "http://127.0.0.1:4444";

#[tokio::test]
async fn every_example_is_valid_and_answers_as_it_promises() {
    let whoami = Whoami::start();
    let token = jwt(&json!({"sub": "alice"}));
    let tokens = Server::start(move |request| match request.target.as_str() {
        "/admin/oauth2/introspect" => {
            let is_active = request.body.ends_with(b"token=alices");
            Answer::json(200, &json!({"active": is_active, "sub": "alice"}))
        }
        _ if String::from_utf8_lossy(&request.body).contains("subject_token=") => {
            match String::from_utf8_lossy(&request.body).contains("subject_token=alices") {
                true => exchanged(&token),
                false => refused(400, "invalid_request"),
            }
        }
        _ => granted(&token, Some(300)),
    });
    let tokens = tokens.await.unwrap();
    for path in examples() {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace(SERVICE, &whoami.url);
        let text = text.replace(TOKENS, tokens.url("").trim_end_matches('/'));
        let stand = Stand::unconfigured(Plan::default());
        let findings = stand.apply(&text);
        assert!(findings.is_empty(), "{}: {findings:?}", path.display());
        let promises = text
            .lines()
            .filter_map(|line| line.strip_prefix("# ")?.split_once(" => "));
        let promises: Vec<_> = promises.collect();
        assert!(!promises.is_empty(), "{} promises nothing", path.display());
        for (request, answer) in promises {
            keep(&stand, &path, request, answer).await;
        }
    }
}

/// The answer that gives a token in the place of another one.
fn exchanged(token: &str) -> Answer {
    Answer::json(
        200,
        &json!({"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer"}),
    )
}

async fn keep(stand: &Stand, path: &Path, request: &str, answer: &str) {
    let mut parts = request.split(" | ");
    let line = parts.next().unwrap();
    let fields: String = parts.map(|field| format!("\n{field}")).collect();
    let response = stand
        .ask(&format!("{line} HTTP/1.1\nHost: example.localhost{fields}"))
        .await;
    let mut promised = answer.split(", ");
    let status = promised.next().unwrap();
    let fields = response.headers.0.iter();
    let fields: String = fields
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let said = fields + &response.text();
    let at = path.display();
    assert_eq!(
        response.status.to_string(),
        status,
        "{at}: {request}: {said}"
    );
    for text in promised {
        let (text, is_there) = match text.strip_prefix("no ") {
            Some(text) => (text, false),
            None => (text, true),
        };
        assert_eq!(
            said.contains(text),
            is_there,
            "{at}: {request}: {text}: {said}"
        );
    }
}

#[test]
fn every_kind_of_middleware_has_an_example() {
    let names: Vec<String> = examples()
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let kinds: Vec<String> = schemas().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(names, kinds);
}

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
