//! Challenges and verifiers: in time, in one browser, once.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Browser, begin, log_in, options, say, sent, text, tokens, web};
use crate::server::{Answer, Room};

/// So long a person has.
const LONG: Duration = Duration::from_secs(1800);

/// A challenge of each kind: the name of its flow, and what its application would say.
async fn challenges(room: &Room) -> Vec<(&'static str, String, Value)> {
    let id = web(room, json!({})).await;
    let mut browser = Browser::default();
    let got = tokens(room, &mut browser, &id).await;
    let hint = text(&got, "id_token");
    let leave = format!("/oauth2/sessions/logout?id_token_hint={hint}");
    let leaving = browser.open(room, &leave).await;
    let begun = browser.open(room, &begin(&id, "&prompt=login")).await;
    let login = begun.parameter("login_challenge").unwrap();
    let consent = log_in(room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let page = browser.open(room, "/oauth2/device/verify").await;
    vec![
        ("login", login, json!({"subject": "alice"})),
        ("consent", consent, json!({"grant_scope": ["read"]})),
        (
            "logout",
            leaving.parameter("logout_challenge").unwrap(),
            Value::Null,
        ),
        (
            "device",
            page.parameter("device_challenge").unwrap(),
            json!({"user_code": "BCDFGHJK"}),
        ),
    ]
}

async fn shown(room: &Room, flow: &str, challenge: &str) -> Answer {
    let path = format!("/admin/oauth2/auth/requests/{flow}?{flow}_challenge={challenge}");
    room.get_admin(&path).await
}

#[tokio::test]
async fn a_challenge_ends_after_its_time() {
    let room = Room::new(options()).await;
    let all = challenges(&room).await;
    room.clock.advance(LONG - Duration::from_secs(1));
    for (flow, challenge, _) in &all[..3] {
        let answer = shown(&room, flow, challenge).await;
        assert_eq!(answer.status, StatusCode::OK, "{flow} {}", answer.text);
    }
    room.clock.advance(Duration::from_secs(1));
    for (flow, challenge, words) in all {
        let mut answers = vec![say(&room, flow, "accept", &challenge, words).await];
        if flow != "device" {
            answers.push(shown(&room, flow, &challenge).await);
            answers.push(say(&room, flow, "reject", &challenge, json!({})).await);
        }
        for answer in answers {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{flow}");
            assert_eq!(answer.json()["error"], "request_unauthorized", "{flow}");
        }
    }
}

#[tokio::test]
async fn a_verifier_ends_with_its_challenge() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &begin(&id, "")).await;
    let consent = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let grant = json!({"grant_scope": ["read"]});
    let back = sent(&room, "consent", "accept", &consent, grant).await;
    room.clock.advance(LONG);
    let answer = browser.open(&room, &back).await;
    let error = answer.parameter("error");
    assert_eq!(error.as_deref(), Some("request_unauthorized"));
    assert_eq!(answer.parameter("code"), None);

    let got = tokens(&room, &mut browser, &id).await;
    let hint = text(&got, "id_token");
    let leave = format!("/oauth2/sessions/logout?id_token_hint={hint}");
    let leaving = browser.open(&room, &leave).await;
    let challenge = leaving.parameter("logout_challenge").unwrap();
    let back = sent(&room, "logout", "accept", &challenge, Value::Null).await;
    room.clock.advance(LONG);
    let answer = browser.open(&room, &back).await;
    let error = answer.parameter("error");
    assert_eq!(error.as_deref(), Some("request_forbidden"));
    assert!(browser.cookies.contains_key("ory_hydra_session_dev"));
}

#[tokio::test]
async fn a_challenge_opens_as_its_own_kind_alone_and_only_whole() {
    let room = Room::new(options()).await;
    let all = challenges(&room).await;
    for (flow, challenge, _) in &all {
        for other in ["login", "consent", "logout"] {
            let answer = shown(&room, other, challenge).await;
            let is_same = flow == &other;
            assert_eq!(
                answer.status == StatusCode::OK,
                is_same,
                "{flow} as {other}"
            );
        }
        let (half, _) = challenge.split_at(challenge.len() / 2);
        let first = match challenge.starts_with('A') {
            true => "B",
            false => "A",
        };
        let changed = format!("{first}{}", &challenge[1..]);
        for broken in [half, &changed, ""] {
            let path =
                format!("/admin/oauth2/auth/requests/{flow}/accept?{flow}_challenge={broken}");
            let answer = room
                .admin(Method::PUT, &path, json!({"subject": "alice"}))
                .await;
            assert!(answer.status.is_client_error(), "{flow} {}", answer.text);
        }
    }
}
