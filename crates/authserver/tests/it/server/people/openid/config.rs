//! What the server tells of itself.

use axum::http::Method;
use carnet_jose::{JwkSet, jws};
use serde_json::{Value, json};

use super::{room, tokens};
use crate::server::people::{Browser, text};

// oidcc-discovery-endpoint-verification
// OpenID Connect Discovery, sections 3 and 4.
#[tokio::test]
async fn the_document_has_what_it_must_and_what_is_there() {
    let (room, _) = room().await;
    let answer = room.get("/.well-known/openid-configuration").await;
    let document = answer.json();
    assert_eq!(document["issuer"], "http://hydra.hydra.svc:4444");
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        let url = document[endpoint].as_str().unwrap();
        assert!(url::Url::parse(url).is_ok(), "{endpoint}: {url}");
    }
    for (list, needed) in [
        ("scopes_supported", "openid"),
        ("response_types_supported", "code"),
        ("response_modes_supported", "query"),
        ("grant_types_supported", "authorization_code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        (
            "token_endpoint_auth_methods_supported",
            "client_secret_basic",
        ),
        ("token_endpoint_auth_signing_alg_values_supported", "RS256"),
        ("claims_supported", "sub"),
        ("code_challenge_methods_supported", "S256"),
    ] {
        let values = document[list].as_array().unwrap();
        assert!(values.contains(&json!(needed)), "{list}: {values:?}");
        assert!(
            !values.contains(&json!("none")) || list.contains("auth_methods"),
            "{list}"
        );
    }
    for refused in [
        "request_parameter_supported",
        // Absent would mean true.
        "request_uri_parameter_supported",
        "claims_parameter_supported",
    ] {
        assert_eq!(document[refused], json!(false), "{refused}");
    }
}

// oidcc-discovery-endpoint-verification
// OpenID Connect Core, section 10.1.
#[tokio::test]
async fn published_keys_are_named_for_signing_and_public() {
    let (room, _) = room().await;
    let jwks = room.get("/.well-known/jwks.json").await.json();
    let keys = jwks["keys"].as_array().unwrap();
    let mut names: Vec<&Value> = Vec::new();
    for key in keys {
        assert_eq!(key["use"], "sig", "{key}");
        assert!(key.get("d").is_none(), "a private key");
        assert!(!names.contains(&&key["kid"]), "{key} twice");
        names.push(&key["kid"]);
    }
    assert!(keys.iter().any(|key| key["alg"] == "RS256"), "{jwks}");
}

// oidcc-server-rotate-keys
#[tokio::test]
async fn after_a_change_of_keys_new_tokens_have_a_new_one_and_old_ones_still_verify() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let old = tokens(&room, &mut browser, &id, &[]).await;
    let path = "/admin/keys/hydra.openid.id-token";
    let made = room
        .admin(Method::POST, path, json!({"alg": "RS256"}))
        .await;
    let new = tokens(&room, &mut browser, &id, &[]).await;
    let jwks = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
    let verified = |tokens: &Value| jws::verify(text(tokens, "id_token"), &keys).unwrap();
    assert_ne!(verified(&old).header["kid"], verified(&new).header["kid"]);
    assert_eq!(verified(&new).header["kid"], made.json()["keys"][0]["kid"]);
    // What the old key signed still says who is expected.
    let hint = [
        ("prompt", "none"),
        ("id_token_hint", text(&old, "id_token")),
    ];
    tokens(&room, &mut browser, &id, &hint).await;
}
