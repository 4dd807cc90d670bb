//! Refresh tokens: used once, and what becomes of those that come again.

use std::time::Duration;

use axum::http::StatusCode;
use carnet_authserver::{Options, People};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Browser, options, refused, text, tokens, web};
use crate::server::{Answer, Room};

async fn refresh(room: &Room, id: &str, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}&scope=whatever");
    room.basic_form(id, &form).await
}

async fn is_active(room: &Room, tokens: &Value, name: &str) -> bool {
    room.introspect(text(tokens, name)).await["active"] == json!(true)
}

#[tokio::test]
async fn new_tokens_take_the_place_of_the_old_ones() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let first = tokens(&room, &mut Browser::default(), &id).await;
    let other = web(&room, json!({})).await;
    refused(
        &refresh(&room, &other, text(&first, "refresh_token")).await,
        "invalid_grant",
    );
    let answer = refresh(&room, &id, text(&first, "refresh_token")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let second = answer.json();
    assert_eq!(second["scope"], "openid offline read");
    assert!(!is_active(&room, &first, "access_token").await);
    assert!(is_active(&room, &second, "access_token").await);
    let id_token = super::claims(text(&second, "id_token"));
    let before = super::claims(text(&first, "id_token"));
    for name in ["sub", "sid", "auth_time", "email"] {
        assert_eq!(id_token[name], before[name], "{name}");
    }
}

#[tokio::test]
async fn one_that_comes_again_ends_all_of_them() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let first = tokens(&room, &mut Browser::default(), &id).await;
    let second = refresh(&room, &id, text(&first, "refresh_token"))
        .await
        .json();
    refused(
        &refresh(&room, &id, text(&first, "refresh_token")).await,
        "invalid_grant",
    );
    assert!(!is_active(&room, &second, "access_token").await);
    refused(
        &refresh(&room, &id, text(&second, "refresh_token")).await,
        "invalid_grant",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_uses_at_once_one_wins_at_most_and_then_none() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({"access_token_strategy": "opaque"})).await;
    let first = tokens(&room, &mut Browser::default(), &id).await;
    let token = text(&first, "refresh_token");
    let answers = join_all((0..1_000).map(|_| refresh(&room, &id, token))).await;
    let won: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .collect();
    assert!(won.len() <= 1, "{}", won.len());
    refused(&refresh(&room, &id, token).await, "invalid_grant");
    for answer in won {
        assert!(!is_active(&room, &answer.json(), "access_token").await);
        let next = answer.json();
        refused(
            &refresh(&room, &id, text(&next, "refresh_token")).await,
            "invalid_grant",
        );
    }
}

#[tokio::test]
async fn within_its_grace_a_used_one_works_again() {
    let room = Room::new(Options {
        people: People {
            grace_period: Duration::from_secs(30),
            ..options().people
        },
        ..options()
    })
    .await;
    let id = web(&room, json!({})).await;
    let first = tokens(&room, &mut Browser::default(), &id).await;
    let token = text(&first, "refresh_token");
    for _ in 0..2 {
        assert_eq!(refresh(&room, &id, token).await.status, StatusCode::OK);
    }
    room.clock.advance(Duration::from_secs(30));
    refused(&refresh(&room, &id, token).await, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_ends_after_its_time_unless_it_has_none() {
    for (lifetime, expected) in [
        (Some(Duration::from_secs(3600)), StatusCode::BAD_REQUEST),
        (None, StatusCode::OK),
    ] {
        let mut options = options();
        options.people.ttl_refresh_token = lifetime;
        let room = Room::new(options).await;
        let id = web(&room, json!({})).await;
        let first = tokens(&room, &mut Browser::default(), &id).await;
        room.clock.advance(Duration::from_secs(3600));
        let answer = refresh(&room, &id, text(&first, "refresh_token")).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
}

#[tokio::test]
async fn there_is_none_where_nobody_asked_for_it_or_the_client_cannot_use_it() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({"grant_types": ["authorization_code"]})).await;
    let got = tokens(&room, &mut Browser::default(), &id).await;
    assert_eq!(got.get("refresh_token"), None);
    let form = "grant_type=refresh_token&refresh_token=x";
    refused(&room.basic_form(&id, form).await, "unauthorized_client");
    let machine = room.create(json!({})).await;
    let form = "grant_type=authorization_code&code=x";
    refused(
        &room.basic_form(&machine, form).await,
        "unauthorized_client",
    );
}

// Holds BC-03.
#[tokio::test]
async fn passwords_are_no_grant() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({"grant_types": ["password", "implicit"]})).await;
    for grant in ["password", "implicit"] {
        let form = format!("grant_type={grant}&username=alice&password=secret");
        refused(&room.basic_form(&id, &form).await, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn with_a_revoked_token_go_all_that_hang_on_the_same_consent() {
    for revoked in ["refresh_token", "access_token"] {
        let room = Room::new(options()).await;
        let id = web(
            &room,
            json!({"token_endpoint_auth_method": "client_secret_post"}),
        )
        .await;
        let code = super::code(&room, &mut Browser::default(), &id, "").await;
        let secret = format!("&client_id={id}&client_secret=traefiklabs");
        let form = format!(
            "grant_type=authorization_code&code={code}{secret}\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback"
        );
        let got = room.post("/oauth2/token", &[], &form).await.json();
        let form = format!("token={}{secret}", text(&got, revoked));
        let answer = room.post("/oauth2/revoke", &[], &form).await;
        assert_eq!(answer.status, StatusCode::OK);
        for name in ["refresh_token", "access_token"] {
            assert!(!is_active(&room, &got, name).await, "{revoked}, {name}");
        }
    }
}
