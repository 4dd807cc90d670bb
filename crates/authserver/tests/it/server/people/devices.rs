//! Devices whose person is elsewhere (RFC 8628).

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Browser, claims, log_in, options, refused, say, sent, text};
use crate::server::{Answer, Room};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn device(room: &Room) -> String {
    let client = json!({
        "grant_types": [GRANT, "refresh_token"],
        "token_endpoint_auth_method": "none",
        "client_secret": null,
        "scope": "openid offline",
    });
    room.create(client).await
}

async fn begin(room: &Room, id: &str) -> Value {
    let form = format!("client_id={id}&scope=openid+offline");
    let answer = room.post("/oauth2/device/auth", &[], &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

async fn poll(room: &Room, id: &str, code: &str) -> Answer {
    let form = format!("grant_type={GRANT}&device_code={code}&client_id={id}");
    room.post("/oauth2/token", &[], &form).await
}

/// The browser at the login application, with a code that was given.
async fn give(room: &Room, browser: &mut Browser, user_code: &str) -> Answer {
    let page = browser.open(room, "/oauth2/device/verify").await;
    let challenge = page.parameter("device_challenge").unwrap();
    let back = sent(
        room,
        "device",
        "accept",
        &challenge,
        json!({"user_code": user_code}),
    )
    .await;
    browser.open(room, &back).await
}

#[tokio::test]
async fn a_device_gets_tokens_once_its_person_has_consented() {
    let room = Room::new(options()).await;
    let id = device(&room).await;
    let told = begin(&room, &id).await;
    let (code, user_code) = (text(&told, "device_code"), text(&told, "user_code"));
    assert_eq!(
        (&told["interval"], &told["expires_in"]),
        (&json!(5), &json!(600))
    );
    let page = "http://hydra.docker.localhost/oauth2/device/verify";
    assert_eq!(told["verification_uri"], page);
    assert_eq!(
        told["verification_uri_complete"],
        format!("{page}?user_code={user_code}")
    );
    refused(&poll(&room, &id, code).await, "authorization_pending");

    let mut browser = Browser::default();
    // People write codes as they like.
    let typed = format!("{}-{}", &user_code[..4].to_lowercase(), &user_code[4..]);
    let begun = give(&room, &mut browser, &typed).await;
    let challenge = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let granted = json!({"grant_scope": ["openid", "offline"]});
    let back = sent(&room, "consent", "accept", &challenge, granted).await;
    let done = browser.open(&room, &back).await;
    let page = format!("http://hydra.docker.localhost/oauth2/fallbacks/device/done?client_id={id}");
    assert_eq!(done.location(), page);

    // What the device has is no code of a browser.
    let other = code.replace("ory_dc_", "ory_ac_");
    let form = format!("grant_type=authorization_code&code={other}&client_id={id}");
    let answer = room.post("/oauth2/token", &[], &form).await;
    assert_ne!(answer.status, StatusCode::OK);
    let answer = poll(&room, &id, code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let tokens = answer.json();
    assert_eq!(claims(text(&tokens, "id_token"))["sub"], "alice");
    let told = room.introspect(text(&tokens, "access_token")).await;
    assert_eq!(told["sub"], "alice");
    refused(&poll(&room, &id, code).await, "invalid_grant");
    let told = room.introspect(text(&tokens, "access_token")).await;
    assert_eq!(told["active"], true, "a device may ask once too often");
}

/// Tokens of a device that asked twice at the same moment.
#[tokio::test]
async fn a_device_that_asks_twice_at_once_gets_tokens_once_and_keeps_them() {
    let room = Room::new(options()).await;
    let id = device(&room).await;
    let told = begin(&room, &id).await;
    let mut browser = Browser::default();
    let begun = give(&room, &mut browser, text(&told, "user_code")).await;
    let challenge = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let granted = json!({"grant_scope": ["openid", "offline"]});
    let back = sent(&room, "consent", "accept", &challenge, granted).await;
    browser.open(&room, &back).await;
    let code = text(&told, "device_code");
    let asked = (0..8).map(|_| poll(&room, &id, code));
    let answers = futures_util::future::join_all(asked).await;
    let (got, others): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status.is_success());
    assert_eq!(got.len(), 1);
    for other in others {
        refused(other, "invalid_grant");
    }
    for name in ["access_token", "refresh_token"] {
        let told = room.introspect(text(&got[0].json(), name)).await;
        assert_eq!(told["active"], true, "{name}");
    }
}

#[tokio::test]
async fn a_device_hears_no_and_that_its_time_is_over() {
    let room = Room::new(options()).await;
    let id = device(&room).await;
    let told = begin(&room, &id).await;
    let mut browser = Browser::default();
    let begun = give(&room, &mut browser, text(&told, "user_code")).await;
    let challenge = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let words = json!({"error": "access_denied"});
    let back = sent(&room, "consent", "reject", &challenge, words).await;
    let page = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=access_denied";
    let answer = browser.open(&room, &back).await;
    assert!(answer.location().starts_with(page), "{}", answer.location());
    let answer = poll(&room, &id, text(&told, "device_code")).await;
    assert_eq!(answer.json()["error"], "access_denied");

    let told = begin(&room, &id).await;
    room.clock.advance(Duration::from_secs(600));
    refused(
        &poll(&room, &id, text(&told, "device_code")).await,
        "expired_token",
    );
    refused(&poll(&room, &id, "ory_dc_x.y").await, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_given_once_in_one_browser() {
    let room = Room::new(options()).await;
    let id = device(&room).await;
    let told = begin(&room, &id).await;
    let mut browser = Browser::default();
    let page = browser
        .open(&room, "/oauth2/device/verify?user_code=X")
        .await;
    assert_eq!(page.parameter("user_code").as_deref(), Some("X"));
    let challenge = page.parameter("device_challenge").unwrap();
    for (code, status) in [
        (json!({"user_code": "XXXXXXXX"}), StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::BAD_REQUEST),
    ] {
        let answer = say(&room, "device", "accept", &challenge, code).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let code = json!({"user_code": told["user_code"]});
    let answer = say(&room, "device", "accept", "nope", code.clone()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let back = sent(&room, "device", "accept", &challenge, code).await;
    let error = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=";
    let answer = Browser::default().open(&room, &back).await;
    assert!(
        answer
            .location()
            .starts_with(&format!("{error}request_forbidden"))
    );
    let answer = browser.open(&room, &back).await;
    assert!(answer.parameter("login_challenge").is_some());
    let answer = browser.open(&room, &back).await;
    assert!(
        answer
            .location()
            .starts_with(&format!("{error}access_denied"))
    );
}

#[tokio::test]
async fn who_may_not_have_a_device_gets_no_codes() {
    let room = Room::new(options()).await;
    let id = device(&room).await;
    let machine = room
        .create(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    for (form, status, error) in [
        (
            format!("client_id={machine}&client_secret=traefiklabs"),
            400,
            "invalid_grant",
        ),
        (format!("client_id={id}&scope=x"), 400, "invalid_scope"),
        ("scope=openid".to_owned(), 400, "invalid_request"),
        ("client_id=nobody".to_owned(), 401, "invalid_client"),
    ] {
        let answer = room.post("/oauth2/device/auth", &[], &form).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (status, &json!(error))
        );
    }
}
