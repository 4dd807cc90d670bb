//! The hooks where a person is behind the tokens: who is asked when, and what stays of the answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use carnet_authserver::{AccessTokenStrategy, Options, TokenHook};
use carnet_testkit::{Server, server::Answer as Reply};
use serde_json::{Value, json};

use super::{Browser, claims, options, refused, text, tokens, web};
use crate::server::{Answer, Room};

/// A hook that gives these answers, one after the other, and then the last one again.
async fn hook(replies: Vec<Reply>) -> Server {
    let next = AtomicUsize::new(0);
    let respond = move |_: &carnet_testkit::server::Request| {
        let at = next.fetch_add(1, Ordering::Relaxed);
        replies[at.min(replies.len() - 1)].clone()
    };
    Server::start(respond).await.unwrap()
}

fn at(hook: &Server) -> Option<TokenHook> {
    Some(TokenHook {
        url: hook.url("/hook"),
        auth: None,
    })
}

fn unchanged() -> Reply {
    Reply::text(204, "")
}

/// What a hook says that calls everybody so.
fn role(role: &str) -> Reply {
    let session = json!({"access_token": {"role": role}, "id_token": {"team": role}});
    Reply::json(200, &json!({"session": session}))
}

fn asked(hook: &Server) -> Vec<Value> {
    let seen = hook.seen().into_iter();
    seen.map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

async fn refresh(room: &Room, id: &str, tokens: &Value) -> Answer {
    let token = text(tokens, "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    room.basic_form(id, &form).await
}

/// The claims of both tokens that an application or a hook said, and of `/userinfo`.
async fn said(room: &Room, tokens: &Value) -> [Value; 3] {
    let token = text(tokens, "access_token");
    let ext = room.introspect(token).await["ext"].clone();
    let header = format!("Bearer {token}");
    let headers = [("authorization", header.as_str())];
    let info = room.post("/userinfo", &headers, "").await;
    let team = claims(text(tokens, "id_token"))["team"].clone();
    [ext, team, info.json()["team"].clone()]
}

#[tokio::test]
async fn the_hook_of_refreshed_tokens_is_asked_in_hydras_words_and_at_no_other_time() {
    let hook = hook(vec![unchanged()]).await;
    let room = Room::new(Options {
        refresh_token_hook: at(&hook),
        ..options()
    })
    .await;
    let machine = room.create(json!({})).await;
    room.token(&machine).await;
    let id = web(&room, json!({})).await;
    let first = tokens(&room, &mut Browser::default(), &id).await;
    assert_eq!(hook.count(), 0);
    let second = refresh(&room, &id, &first).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.text);
    let [question] = asked(&hook).try_into().unwrap();
    let names: Vec<_> = question.as_object().unwrap().keys().collect();
    let expected = [
        "subject",
        "session",
        "requester",
        "client_id",
        "granted_scopes",
        "granted_audience",
    ];
    assert_eq!(names, expected);
    let scopes = json!(["openid", "offline", "read"]);
    assert_eq!(
        question["requester"],
        json!({"client_id": id, "granted_scopes": scopes, "granted_audience": [],
            "grant_types": ["refresh_token"]})
    );
    assert_eq!(
        (&question["subject"], &question["granted_scopes"]),
        (&json!("alice"), &scopes)
    );
    let session = &question["session"];
    assert_eq!(session["extra"], json!({"role": "admin"}));
    let about = &session["id_token"]["id_token_claims"];
    let before = claims(text(&first, "id_token"));
    assert_eq!(
        (&about["sub"], &about["aud"]),
        (&json!("alice"), &json!([id]))
    );
    assert_eq!(
        about["ext"],
        json!({"email": "alice@example", "sid": before["sid"]})
    );
    assert!(about["auth_time"].as_str().unwrap().starts_with("2026-"));
    let told = question.to_string();
    for secret in ["refresh_token", "access_token"] {
        assert!(!told.contains(text(&first, secret)), "{secret}");
    }
    assert!(!told.contains("traefiklabs"));
}

#[tokio::test]
async fn what_a_hook_said_stays_until_it_says_otherwise() {
    for strategy in [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque] {
        let hook = hook(vec![role("a"), unchanged(), role("b"), unchanged()]).await;
        let room = Room::new(Options {
            refresh_token_hook: at(&hook),
            access_token_strategy: strategy,
            ..options()
        })
        .await;
        let id = web(&room, json!({"access_token_claims": {"of": "client"}})).await;
        let mut got = tokens(&room, &mut Browser::default(), &id).await;
        let before = said(&room, &got).await;
        let expected = json!({"of": "client", "role": "admin"});
        assert_eq!(before, [expected, Value::Null, Value::Null]);
        for role in ["a", "a", "b", "b"] {
            got = refresh(&room, &id, &got).await.json();
            let expected = [json!({"role": role}), json!(role), json!(role)];
            assert_eq!(said(&room, &got).await, expected);
            assert_eq!(claims(text(&got, "id_token")).get("email"), None);
            let told = room.introspect(text(&got, "refresh_token")).await;
            assert_eq!(told["ext"], json!({"role": role}));
        }
        let last = asked(&hook).pop().unwrap();
        assert_eq!(last["session"]["extra"], json!({"role": "b"}));
        // What the person consented to is what it was.
        let path = "/admin/oauth2/auth/sessions/consent?subject=alice";
        let listed = room.get_admin(path).await.json();
        let session =
            json!({"access_token": {"role": "admin"}, "id_token": {"email": "alice@example"}});
        assert_eq!(listed[0]["session"], session);
    }
}

#[tokio::test]
async fn the_hook_of_all_tokens_is_asked_after_it_and_has_the_last_word() {
    let (first, last) = (hook(vec![role("a")]).await, hook(vec![role("b")]).await);
    let room = Room::new(Options {
        refresh_token_hook: at(&first),
        token_hook: at(&last),
        ..options()
    })
    .await;
    let id = web(&room, json!({})).await;
    let got = tokens(&room, &mut Browser::default(), &id).await;
    let expected = [json!({"role": "b"}), json!("b"), json!("b")];
    assert_eq!(said(&room, &got).await, expected);
    assert_eq!((first.count(), last.count()), (0, 1));
    let got = refresh(&room, &id, &got).await.json();
    assert_eq!(said(&room, &got).await, expected);
    assert_eq!((first.count(), last.count()), (1, 2));
    let question = asked(&last).pop().unwrap();
    assert_eq!(question["session"]["extra"], json!({"role": "a"}));
    assert_eq!(question["request"]["grant_types"], json!(["refresh_token"]));
}

#[tokio::test]
async fn a_refusal_and_a_failure_leave_the_refresh_token_for_another_time() {
    let broken = Reply::text(400, "");
    let hook = hook(vec![Reply::text(403, ""), broken, unchanged()]).await;
    let room = Room::new(Options {
        refresh_token_hook: at(&hook),
        ..options()
    })
    .await;
    let id = web(&room, json!({})).await;
    let got = tokens(&room, &mut Browser::default(), &id).await;
    for (status, error) in [(403, "access_denied"), (500, "server_error")] {
        let answer = refresh(&room, &id, &got).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.json()["error"], error);
    }
    let told = room.introspect(text(&got, "access_token")).await;
    assert_eq!(told["active"], true);
    assert_eq!(refresh(&room, &id, &got).await.status, StatusCode::OK);
    assert_eq!(hook.count(), 3);
    refused(&refresh(&room, &id, &got).await, "invalid_grant");
}
