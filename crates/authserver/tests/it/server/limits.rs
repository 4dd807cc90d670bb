//! How many tokens a client gets.

use axum::http::{Method, StatusCode};
use carnet_authserver::{Limits, Options, TokenLimits};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

fn limited(tokens: Value) -> Options {
    Options {
        limits: Limits {
            tokens: serde_json::from_value::<TokenLimits>(tokens).unwrap(),
            ..Limits::default()
        },
        ..tutorial()
    }
}

async fn metrics(room: &Room) -> String {
    let path = "/admin/metrics/prometheus";
    room.admin(Method::GET, path, Value::Null).await.text
}

#[tokio::test]
async fn who_has_had_enough_is_told_when_to_come_back() {
    let room = Room::new(limited(
        json!({"quota": 2, "period": "1h", "enforce": true}),
    ))
    .await;
    let [id, other] = [room.create(json!({})).await, room.create(json!({})).await];
    room.token(&id).await;
    room.token(&id).await;
    let answer = room.basic(&id, "traefiklabs", "").await;
    assert_eq!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{}",
        answer.text
    );
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1700..=1800).contains(&wait), "{wait}");
    room.token(&other).await;
    let refused = "oauth2_tokens_over_limit_total";
    let line = format!("client=\"{id}\",limit=\"quota\",enforced=\"true\"}} 1");
    let metrics = metrics(&room).await;
    assert!(
        metrics.contains(refused) && metrics.contains(&line),
        "{metrics}"
    );
}

#[tokio::test]
async fn limits_only_count_until_they_are_told_to_enforce() {
    let room = Room::new(limited(json!({"quota": 1}))).await;
    let id = room.create(json!({})).await;
    for _ in 0..5 {
        room.token(&id).await;
    }
    let line = format!("client=\"{id}\",limit=\"quota\",enforced=\"false\"}} 4");
    let metrics = metrics(&room).await;
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test]
async fn limits_of_a_client_stand_above_those_of_the_server_at_once() {
    let room = Room::new(limited(json!({"quota": 1, "enforce": true}))).await;
    let id = room.create(json!({"token_limits": {"quota": 0}})).await;
    for _ in 0..5 {
        room.token(&id).await;
    }
    let path = format!("/admin/clients/{id}");
    let patch = json!([{"op": "replace", "path": "/token_limits", "value": {"quota": 2}}]);
    room.admin(Method::PATCH, &path, patch).await;
    room.token(&id).await;
    room.token(&id).await;
    let answer = room.basic(&id, "traefiklabs", "").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_is_refused_anyway_costs_nothing() {
    let room = Room::new(limited(json!({"quota": 1, "enforce": true}))).await;
    let id = room.create(json!({"scope": "read"})).await;
    room.basic(&id, "wrong-secret", "").await;
    room.basic(&id, "traefiklabs", "&scope=write").await;
    room.basic(&id, "traefiklabs", "&audience=https://other.example")
        .await;
    room.token(&id).await;
}
