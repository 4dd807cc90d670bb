//! Resources (RFC 8707): whom the tokens of a person are for, as standard clients ask for it.

use axum::http::StatusCode;
use carnet_authserver::{AccessTokenStrategy, Options};
use serde_json::{Value, json};

use super::{Browser, begin, claims, exchange, log_in, options, refused, sent, text, web};
use crate::server::{Room, tutorial};

const ONE: &str = "https://one.example/mcp";
const OTHER: &str = "https://other.example/mcp";

async fn room() -> (Room, String) {
    let room = Room::new(Options {
        access_token_strategy: AccessTokenStrategy::Jwt,
        ..options()
    })
    .await;
    let id = web(&room, json!({"audience": [ONE, OTHER]})).await;
    (room, id)
}

fn asked(resources: &[&str]) -> String {
    let pairs = resources.iter().map(|name| ("resource", *name));
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("&{query}")
}

/// A code for resources, all of which the person grants.
async fn code(room: &Room, id: &str, resources: &[&str]) -> String {
    let mut browser = Browser::default();
    let begun = browser.open(room, &begin(id, &asked(resources))).await;
    let challenge = log_in(room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let path = format!("/admin/oauth2/auth/requests/consent?consent_challenge={challenge}");
    let request = room.get_admin(&path).await.json();
    assert_eq!(request["requested_access_token_audience"], json!(resources));
    let consent = json!({
        "grant_scope": ["openid", "offline", "read"],
        "grant_access_token_audience": resources,
    });
    let back = sent(room, "consent", "accept", &challenge, consent).await;
    let answer = browser.open(room, &back).await;
    answer.parameter("code").unwrap()
}

fn audience(tokens: &Value) -> Value {
    claims(text(tokens, "access_token"))["aud"].clone()
}

#[tokio::test]
async fn the_token_of_a_person_is_for_the_resource_that_was_asked_for() {
    let (room, id) = room().await;
    let code = code(&room, &id, &[ONE]).await;
    let answer = exchange(&room, &id, &code, &asked(&[OTHER])).await;
    refused(&answer, "invalid_target");
    // Which has not used it up.
    let tokens = exchange(&room, &id, &code, &asked(&[ONE])).await.json();
    assert_eq!(audience(&tokens), json!([ONE]));
}

#[tokio::test]
async fn of_several_resources_a_token_is_for_those_that_its_request_names() {
    let (room, id) = room().await;
    let code = code(&room, &id, &[ONE, OTHER]).await;
    let tokens = exchange(&room, &id, &code, &asked(&[ONE])).await.json();
    assert_eq!(audience(&tokens), json!([ONE]));
    let refresh = |tokens: &Value, more: &str| {
        let token = text(tokens, "refresh_token").to_owned();
        format!("grant_type=refresh_token&refresh_token={token}{more}")
    };
    let form = refresh(&tokens, &asked(&["https://third.example/"]));
    refused(&room.basic_form(&id, &form).await, "invalid_target");
    let form = refresh(&tokens, &asked(&[OTHER]));
    let other = room.basic_form(&id, &form).await;
    assert_eq!(other.status, StatusCode::OK, "{}", other.text);
    assert_eq!(audience(&other.json()), json!([OTHER]));
    let all = room.basic_form(&id, &refresh(&other.json(), "")).await;
    assert_eq!(audience(&all.json()), json!([ONE, OTHER]));
}

// Holds RI-01.
#[tokio::test]
async fn a_resource_that_is_no_uri_or_not_the_clients_is_refused() {
    let (room, id) = room().await;
    for wrong in ["https://evil.example/", "mcp", "https://one.example/mcp#a"] {
        let address = begin(&id, &asked(&[ONE, wrong]));
        let answer = Browser::default().open(&room, &address).await;
        let error = answer.parameter("error");
        assert_eq!(error.as_deref(), Some("invalid_target"), "{wrong}");
        assert_eq!(answer.parameter("iss"), Some(tutorial().issuer), "{wrong}");
    }
}
