//! Other options for a server that runs.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, Cors, Options, ScopeClaim};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn tokens_claims_and_hashes_are_as_the_new_options_say() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let before = claims(&room.token(&id).await);
    assert_eq!(
        before["exp"].as_i64().unwrap() - before["iat"].as_i64().unwrap(),
        3600
    );
    assert!(before.get("ext").is_some() && before.get("scope").is_none());
    let options = Options {
        ttl_access_token: Duration::from_secs(60),
        mirror_top_level_claims: false,
        scope_claim: ScopeClaim::String,
        exclude_not_before_claim: true,
        pbkdf2_iterations: 11,
        ..tutorial()
    };
    room.server.reload(options).unwrap();
    let after = claims(&room.token(&id).await);
    assert_eq!(
        after["exp"].as_i64().unwrap() - after["iat"].as_i64().unwrap(),
        60
    );
    assert!(after.get("ext").is_none() && after.get("nbf").is_none());
    assert_eq!(after["scope"], "");
    let id = room.create(json!({"client_id": "new"})).await;
    let row = room.store.find_client(&id).await.unwrap().unwrap();
    assert!(format!("{row:?}").contains("i=11,"), "{row:?}");

    room.server
        .reload(Options {
            access_token_strategy: AccessTokenStrategy::Opaque,
            ..tutorial()
        })
        .unwrap();
    assert!(room.token(&id).await.starts_with("ory_at_"));
}

#[tokio::test]
async fn pages_are_let_in_and_shut_out_by_a_reload() {
    let room = Room::new(tutorial()).await;
    let headers = [("origin", "https://app.example")];
    let may = async || {
        let answer = room.post("/oauth2/revoke", &headers, "").await;
        answer.header("access-control-allow-origin").is_some()
    };
    assert!(!may().await);
    let options = Options {
        public_cors: Some(Cors {
            allowed_origins: vec!["https://app.example".to_owned()],
            ..Cors::default()
        }),
        ..tutorial()
    };
    room.server.reload(options).unwrap();
    assert!(may().await);
    room.server.reload(tutorial()).unwrap();
    assert!(!may().await);
}

#[tokio::test]
async fn what_was_counted_and_what_was_taken_stays() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    let taken = room.server.public_router();
    room.server.reload(tutorial()).unwrap();
    assert_eq!(room.introspect(&token).await["active"], true);
    let metrics = room
        .admin(Method::GET, "/metrics/prometheus", Value::Null)
        .await;
    let counted = "endpoint=\"/oauth2/token\",code=\"200\"} 1";
    assert!(metrics.text.contains(counted), "{}", metrics.text);
    // A request that began before goes on under the options of its time.
    let request = axum::http::Request::get("/health/alive");
    let request = request.body(axum::body::Body::empty()).unwrap();
    assert_eq!(
        crate::server::send(taken, request).await.status,
        StatusCode::OK
    );
}
