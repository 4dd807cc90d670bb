//! Rotation of a client's secret.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Room, tutorial};

const ROTATE: &str = "/admin/clients/a/secrets/rotate";

async fn rotate(room: &Room) -> String {
    let answer = room.admin(Method::POST, ROTATE, Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let secret = answer.json()["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 26);
    secret
}

async fn end(room: &Room) -> Answer {
    room.admin(Method::DELETE, ROTATE, Value::Null).await
}

async fn works(room: &Room, secret: &str) -> bool {
    room.basic("a", secret, "").await.status == StatusCode::OK
}

async fn rotated(room: &Room) -> Value {
    let client = room.admin(Method::GET, "/clients/a", Value::Null).await;
    client.json()["rotated_secrets"].clone()
}

#[tokio::test]
async fn an_old_secret_works_until_the_rotation_is_ended() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    assert!(works(&room, "traefiklabs").await);
    let new = rotate(&room).await;
    // Twice: the second time from memory, which must not outlive the end.
    assert!(works(&room, "traefiklabs").await && works(&room, "traefiklabs").await);
    assert!(works(&room, &new).await);
    assert!(!works(&room, "another").await);
    assert_eq!(end(&room).await.status, StatusCode::NO_CONTENT);
    assert!(!works(&room, "traefiklabs").await);
    assert!(works(&room, &new).await);
    assert_eq!(rotated(&room).await, Value::Null);
}

#[tokio::test]
async fn the_last_use_of_an_old_secret_is_seen_and_written_once_a_minute() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let new = rotate(&room).await;
    let at = |last: Value| json!([{"rotated_at": "2026-11-26T12:00:00Z", "last_used_at": last}]);
    works(&room, &new).await;
    works(&room, "wrong").await;
    assert_eq!(rotated(&room).await, at(Value::Null));
    for (seconds, expected) in [
        (10, "2026-11-26T12:00:10Z"),
        (59, "2026-11-26T12:00:10Z"),
        (1, "2026-11-26T12:01:10Z"),
    ] {
        room.clock.advance(Duration::from_secs(seconds));
        assert!(works(&room, "traefiklabs").await);
        assert_eq!(rotated(&room).await, at(json!(expected)), "{seconds}");
    }
    let list = room.admin(Method::GET, "/clients", Value::Null).await;
    assert_eq!(
        list.json()[0]["rotated_secrets"],
        at(json!("2026-11-26T12:01:10Z"))
    );
}

#[tokio::test]
async fn five_old_secrets_work_and_no_more() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let mut secrets = vec!["traefiklabs".to_owned()];
    for _ in 0..6 {
        secrets.push(rotate(&room).await);
    }
    let mut working = Vec::new();
    for secret in &secrets {
        working.push(works(&room, secret).await);
    }
    assert_eq!(working, [false, true, true, true, true, true, true]);
    assert_eq!(rotated(&room).await.as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_secret_that_is_set_ends_the_rotation_and_other_changes_do_not() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let machine = json!({"grant_types": ["client_credentials"]});
    let mut with_secret = machine.clone();
    with_secret["client_secret"] = json!("another-secret");
    let set = json!([{"op": "replace", "path": "/client_secret", "value": "patched-secret"}]);
    let rename = json!([{"op": "replace", "path": "/client_name", "value": "n"}]);
    for (method, body, ends) in [
        (Method::PATCH, rename, false),
        (Method::PUT, machine, false),
        (Method::PUT, with_secret, true),
        (Method::PATCH, set, true),
    ] {
        let new = rotate(&room).await;
        rotate(&room).await;
        let answer = room.admin(method.clone(), "/clients/a", body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(works(&room, &new).await, !ends, "{method} {body}");
        assert_eq!(rotated(&room).await.is_null(), ends, "{method} {body}");
        let shown = &answer.json()["rotated_secrets"];
        assert_eq!(shown.is_null(), ends, "{method} {body}");
    }
}

#[tokio::test]
async fn only_the_server_says_which_secrets_were_rotated() {
    let room = Room::new(tutorial()).await;
    let claim = json!([{"rotated_at": "x", "last_used_at": null}]);
    room.create(json!({"client_id": "a", "rotated_secrets": claim}))
        .await;
    assert_eq!(rotated(&room).await, Value::Null);
    let patch = json!([{"op": "add", "path": "/rotated_secrets", "value": claim}]);
    let answer = room.admin(Method::PATCH, "/clients/a", patch).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("read-only"), "{}", answer.text);
}

#[tokio::test]
async fn what_has_no_secret_is_not_rotated() {
    let room = Room::new(tutorial()).await;
    assert_eq!(end(&room).await.status, StatusCode::NOT_FOUND);
    let missing = room.admin(Method::POST, ROTATE, Value::Null).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    room.create(json!({"client_id": "a", "token_endpoint_auth_method": "none"}))
        .await;
    let public = room.admin(Method::POST, ROTATE, Value::Null).await;
    assert_eq!(public.status, StatusCode::BAD_REQUEST);
    assert_eq!(public.json()["error"], "invalid_request");
}

// Holds AD-03, SE-01.
#[tokio::test]
async fn a_rotated_secret_is_shown_once_and_never_kept() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a"})).await;
    let new = rotate(&room).await;
    rotate(&room).await;
    let read = room.admin(Method::GET, "/clients/a", Value::Null).await;
    assert!(!read.text.contains(&new) && !read.text.contains("client_secret\""));
    assert!(!read.text.contains("hash") && !read.text.contains("hmac"));
    let row = room.store.find_client("a").await.unwrap().unwrap();
    assert!(!format!("{row:?}").contains(&new));
}
