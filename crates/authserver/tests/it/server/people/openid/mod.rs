//! What the OpenID Foundation asks of providers, in its profiles Basic OP and Config OP, and what
//! FAPI 2.0 asks where clients speak for themselves. Above each test stand the modules of the
//! foundation's conformance suite that ask the same, or the section of the standard.

mod basic;
mod claims;
mod config;
mod fapi;
mod prompts;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Map, Value, json};

use super::{Answer, Browser, CALLBACK, exchange, options, sent, text, web};
use crate::server::{Room, send};

/// Scopes of OpenID Connect Core, section 5.4, with the claims that each stands for.
const SCOPES: [(&str, &[&str]); 4] = [
    ("profile", &["name", "family_name", "updated_at"]),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// A server, and the client of the suite.
async fn room() -> (Room, String) {
    let room = Room::new(options()).await;
    let scope = "openid profile email address phone offline_access";
    let id = web(&room, json!({"scope": scope})).await;
    (room, id)
}

/// The request of the suite with changes; an empty value leaves a parameter out.
fn ask(id: &str, changes: &[(&str, &str)]) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("state", "a-state-of-the-suite"),
        ("nonce", "a-nonce-of-the-suite"),
    ];
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = usual.iter().filter(|(name, _)| !is_changed(name));
    let pairs = kept
        .chain(changes)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, (*value).into()));
    format!("/oauth2/auth?{}", carnet_oauth::form::encode_pairs(pairs))
}

/// Everything that is known of alice.
fn alice() -> Map<String, Value> {
    let Value::Object(claims) = json!({
        "name": "Alice", "family_name": "Liddell", "updated_at": 1_700_000_000,
        "email": "alice@example.com", "email_verified": true,
        "address": {"locality": "Oxford", "country": "GB"},
        "phone_number": "+44 1865 000000", "phone_number_verified": false,
    }) else {
        unreachable!()
    };
    claims
}

/// What the applications beside the server tell of alice, where these scopes are granted.
fn told_of(scopes: &Value) -> Map<String, Value> {
    let has = |scope: &str| scopes.as_array().unwrap().contains(&json!(scope));
    let names = SCOPES.iter().filter(|(scope, _)| has(scope));
    let names: Vec<&str> = names.flat_map(|(_, names)| names.iter().copied()).collect();
    let mut claims = alice();
    claims.retain(|name, _| names.contains(&name.as_str()));
    claims
}

/// Where a browser ends whose person logs in and consents whenever that is asked.
async fn answered(room: &Room, browser: &mut Browser, path: &str) -> Answer {
    let begun = browser.open(room, path).await;
    let Some(challenge) = begun.parameter("login_challenge") else {
        return begun;
    };
    let login = json!({"subject": "alice", "remember": true, "acr": "urn:level:1", "amr": ["pwd"]});
    let back = sent(room, "login", "accept", &challenge, login).await;
    let answer = browser.open(room, &back).await;
    let Some(challenge) = answer.parameter("consent_challenge") else {
        return answer;
    };
    let path = format!("/admin/oauth2/auth/requests/consent?consent_challenge={challenge}");
    let scopes = room.get_admin(&path).await.json()["requested_scope"].clone();
    let consent = json!({
        "grant_scope": scopes,
        "remember": true,
        "session": {"id_token": told_of(&scopes)},
    });
    let back = sent(room, "consent", "accept", &challenge, consent).await;
    browser.open(room, &back).await
}

/// The tokens of a request that is answered with a code.
async fn tokens(room: &Room, browser: &mut Browser, id: &str, changes: &[(&str, &str)]) -> Value {
    let answer = answered(room, browser, &ask(id, changes)).await;
    let code = answer.parameter("code");
    let code = code.unwrap_or_else(|| panic!("no code: {}", answer.location()));
    let answer = exchange(room, id, &code, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// Whether somebody is logged in already, as the login application is told.
async fn is_skipped(room: &Room, browser: &mut Browser, path: &str) -> bool {
    told_to_login(room, browser, path).await["skip"] == json!(true)
}

/// What the login application is told.
async fn told_to_login(room: &Room, browser: &mut Browser, path: &str) -> Value {
    let begun = browser.open(room, path).await;
    let challenge = begun.parameter("login_challenge").unwrap();
    let path = format!("/admin/oauth2/auth/requests/login?login_challenge={challenge}");
    room.get_admin(&path).await.json()
}

/// What `/userinfo` says to a GET.
async fn userinfo(room: &Room, tokens: &Value) -> Answer {
    let header = format!("Bearer {}", text(tokens, "access_token"));
    let request = Request::get("/userinfo").header("authorization", header);
    let request = request.body(Body::empty()).unwrap();
    send(room.server.public_router(), request).await
}

/// The error that a client is told, with its state.
fn error(answer: &Answer) -> String {
    let location = answer.location();
    assert!(location.starts_with(CALLBACK), "{location}");
    let state = answer.parameter("state");
    assert_eq!(state.as_deref(), Some("a-state-of-the-suite"), "{location}");
    answer.parameter("error").unwrap_or_default()
}
