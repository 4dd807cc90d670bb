//! Taking tokens back.

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, Options};
use serde_json::{Value, json};
use std::time::Duration;

use crate::server::{Room, tutorial};

async fn revoke(room: &Room, id: &str, secret: &str, token: &str) -> StatusCode {
    let form = format!("client_id={id}&client_secret={secret}&token={token}");
    let answer = room.post("/oauth2/revoke", &[], &form).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.status
}

// Holds RV-01, RV-02.
#[tokio::test]
async fn a_client_takes_back_its_own_tokens_and_no_others() {
    for strategy in [AccessTokenStrategy::Opaque, AccessTokenStrategy::Jwt] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        })
        .await;
        let post = json!({"token_endpoint_auth_method": "client_secret_post"});
        let (own, other) = (room.create(post.clone()).await, room.create(post).await);
        let form =
            format!("grant_type=client_credentials&client_id={own}&client_secret=traefiklabs");
        let answer = room.post("/oauth2/token", &[], &form).await.json();
        let token = answer["access_token"].as_str().unwrap();
        let again = room.post("/oauth2/token", &[], &form).await.json();

        assert_eq!(
            revoke(&room, &other, "traefiklabs", token).await,
            StatusCode::OK
        );
        assert_eq!(
            revoke(&room, &own, "wrong-secret", token).await,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            revoke(&room, &own, "traefiklabs", "garbage").await,
            StatusCode::OK
        );
        assert_eq!(revoke(&room, &own, "traefiklabs", "").await, StatusCode::OK);
        assert_eq!(room.introspect(token).await["active"], true);

        assert_eq!(
            revoke(&room, &own, "traefiklabs", token).await,
            StatusCode::OK
        );
        assert_eq!(room.introspect(token).await, json!({"active": false}));
        assert_eq!(
            revoke(&room, &own, "traefiklabs", token).await,
            StatusCode::OK
        );
        let rest = again["access_token"].as_str().unwrap();
        assert_eq!(room.introspect(rest).await["active"], true);
    }
}

// Holds IN-04.
#[tokio::test]
async fn all_tokens_of_a_client_go_and_new_ones_count() {
    for strategy in [AccessTokenStrategy::Opaque, AccessTokenStrategy::Jwt] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        })
        .await;
        let (id, other) = (room.create(json!({})).await, room.create(json!({})).await);
        // The answer comes when the second of the revocation is over.
        room.clock.advance(Duration::from_millis(999));
        let (token, others) = (room.token(&id).await, room.token(&other).await);
        let path = format!("/admin/oauth2/tokens?client_id={id}");
        let answer = room.admin(Method::DELETE, &path, Value::Null).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::NO_CONTENT, "")
        );
        assert_eq!(room.introspect(&token).await, json!({"active": false}));
        assert_eq!(room.introspect(&others).await["active"], true);
        room.clock.advance(Duration::from_millis(1));
        assert_eq!(
            room.introspect(&room.token(&id).await).await["active"],
            true
        );
    }
    let room = Room::new(tutorial()).await;
    let answer = room
        .admin(Method::DELETE, "/oauth2/tokens", Value::Null)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn tokens_of_a_deleted_client_do_not_come_back_with_its_name() {
    for strategy in [AccessTokenStrategy::Opaque, AccessTokenStrategy::Jwt] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        })
        .await;
        let id = room.create(json!({"client_id": "a"})).await;
        let token = room.token(&id).await;
        let answer = room.admin(Method::DELETE, "/clients/a", Value::Null).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(room.introspect(&token).await, json!({"active": false}));
        room.create(json!({"client_id": "a"})).await;
        assert_eq!(room.introspect(&token).await, json!({"active": false}));
    }
}

// Holds RV-03.
#[tokio::test(start_paused = true)]
async fn a_broken_store_is_never_a_success() {
    use crate::server::still::StillStore;
    use std::sync::{Arc, atomic::Ordering};
    let store = Arc::new(StillStore::default());
    let room = Room::over(tutorial(), store.clone()).await;
    let post = json!({"token_endpoint_auth_method": "client_secret_post"});
    let id = room.create(post).await;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=traefiklabs");
    let answer = room.post("/oauth2/token", &[], &form).await.json();
    let token = answer["access_token"].as_str().unwrap();
    // The store looks clients up, and fails at revocations.
    assert_eq!(
        revoke(&room, &id, "traefiklabs", token).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    store.is_stuck.store(true, Ordering::Relaxed);
    assert_eq!(
        revoke(&room, &id, "traefiklabs", token).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}
