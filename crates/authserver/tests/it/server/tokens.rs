//! The token endpoint.

use axum::http::{Method, StatusCode};
use carnet_jose::{JwkSet, jws, jwt};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

/// Noon of the fixed clock.
const NOON: i64 = 1_795_694_400;

// Holds TE-22, TE-26.
#[tokio::test]
async fn a_signed_token_is_the_one_of_the_tutorial() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let answer = room
        .basic(&id, "traefiklabs", "&audience=https://traefik.io")
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/json;charset=UTF-8")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        answer.text,
        format!(
            r#"{{"access_token":"{token}","expires_in":3600,"scope":"","token_type":"bearer"}}"#
        )
    );

    let decoded = jws::decode_unverified(token).unwrap();
    let header = Value::Object(decoded.header);
    let kid = header["kid"].as_str().unwrap();
    assert_eq!(
        header.to_string(),
        format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#)
    );
    let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
    let jti = claims["jti"].as_str().unwrap();
    let exp = NOON + 3600;
    assert_eq!(
        String::from_utf8(decoded.payload).unwrap(),
        format!(
            r#"{{"aud":["https://traefik.io"],"client_id":"{id}","exp":{exp},"ext":{{}},"iat":{NOON},"iss":"http://hydra.hydra.svc:4444","jti":"{jti}","nbf":{NOON},"scp":[],"sub":"{id}"}}"#
        )
    );
    for uuid in [kid, jti, &id] {
        assert_eq!(uuid.len(), 36, "{uuid}");
    }

    let jwks = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
    assert_eq!(keys.keys().len(), 2, "{}", jwks.text);
    assert!(jwt::verify(token, &keys).is_ok());
}

#[tokio::test]
async fn an_opaque_token_is_the_default_and_a_client_may_have_the_other_kind() {
    let options = carnet_authserver::Options {
        access_token_strategy: Default::default(),
        ..tutorial()
    };
    let room = Room::new(options).await;
    let opaque = room.token(&room.create(json!({})).await).await;
    assert!(opaque.starts_with("ory_at_"), "{opaque}");
    let id = room.create(json!({"access_token_strategy": "jwt"})).await;
    assert_eq!(room.token(&id).await.split('.').count(), 3);
}

#[tokio::test]
async fn the_process_is_alive_before_its_keys_are_made() {
    let room = Room::new(tutorial()).await;
    let alive = room.get("/health/alive").await;
    assert_eq!(
        (alive.status, alive.text.as_str()),
        (StatusCode::OK, "{\"status\":\"ok\"}\n")
    );
    room.get("/.well-known/jwks.json").await;
    for path in ["/health/ready", "/admin/health/ready"] {
        let ready = room.admin(Method::GET, path, Value::Null).await;
        assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
    }
}
