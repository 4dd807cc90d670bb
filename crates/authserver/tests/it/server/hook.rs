//! The token hook: who may refuse a token and say what it claims.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, HookKey, HookKeyPlace, Options, TokenHook};
use carnet_jose::jws;
use carnet_testkit::{Server, server::Answer as Reply};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

/// A server whose hook always says the same.
async fn asking(reply: Reply, options: Options) -> (Room, Server) {
    let hook = Server::start(move |_| reply.clone()).await.unwrap();
    let options = Options {
        token_hook: Some(TokenHook {
            url: hook.url("/hook?x=1"),
            auth: Some(HookKey {
                place: HookKeyPlace::Header,
                name: "X-Key".to_owned(),
                value: "canary-hook-key".into(),
            }),
        }),
        ..options
    };
    (Room::new(options).await, hook)
}

fn session(claims: &Value) -> Reply {
    let session = json!({"session": {"access_token": claims, "id_token": {"x": 1}}});
    Reply::json(200, &session)
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&jws::decode_unverified(token).unwrap().payload).unwrap()
}

#[tokio::test]
async fn the_hook_is_asked_in_hydras_words_and_its_claims_are_in_the_token() {
    let said = json!({"role": "admin", "sub": "forged", "z": {"b": 1, "a": [2]}});
    let options = Options {
        allowed_top_level_claims: vec!["role".to_owned(), "sub".to_owned()],
        ..tutorial()
    };
    let (room, hook) = asking(session(&said), options).await;
    let id = room.create(json!({"scope": "read"})).await;
    let form = "&scope=read&audience=https://traefik.io";
    let answer = room.basic(&id, "traefiklabs", form).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let claims = claims(token);
    assert_eq!(
        (&claims["role"], &claims["sub"]),
        (&json!("admin"), &json!(id))
    );
    assert_eq!(claims["ext"], said);
    assert_eq!(room.introspect(token).await["ext"], said);

    let [asked] = hook.seen().try_into().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/hook?x=1")
    );
    let json_type = ["application/json; charset=UTF-8"];
    assert_eq!(asked.headers.all("content-type"), json_type);
    assert_eq!(asked.headers.all("x-key"), ["canary-hook-key"]);
    let question: Value = serde_json::from_slice(&asked.body).unwrap();
    let header = jws::decode_unverified(token).unwrap().header;
    assert_eq!(question["session"]["kid"], header["kid"]);
    assert_eq!(question["session"]["id_token"]["subject"], json!(id));
    assert_eq!(question["session"]["extra"], json!({}));
    assert_eq!(
        question["request"],
        json!({"client_id": id, "requested_scopes": ["read"], "granted_scopes": ["read"],
            "granted_audience": ["https://traefik.io"], "grant_types": ["client_credentials"],
            "payload": {"grant_type": ["client_credentials"], "scope": ["read"]}})
    );
    assert!(!question.to_string().contains("traefiklabs"));
}

#[tokio::test]
async fn an_opaque_token_keeps_what_the_hook_said() {
    let said = json!({"role": "admin", "deep": {"a": [1]}});
    let options = Options {
        access_token_strategy: AccessTokenStrategy::Opaque,
        ..tutorial()
    };
    let (room, hook) = asking(session(&said), options).await;
    let token = room.token(&room.create(json!({})).await).await;
    assert_eq!(room.introspect(&token).await["ext"], said);
    let question: Value = serde_json::from_slice(&hook.seen()[0].body).unwrap();
    assert_eq!(question["session"]["kid"], "");
}

#[tokio::test]
async fn each_answer_of_the_hook_means_what_it_means_to_hydra() {
    let long = json!({"session": {"access_token": {"a": "x".repeat(65 * 1024)}}});
    for (reply, status, code) in [
        (Reply::text(204, ""), 200, Value::Null),
        (Reply::json(200, &json!({})), 200, Value::Null),
        (session(&Value::Null), 200, Value::Null),
        (
            Reply::json(403, &json!({"error": "no"})),
            403,
            json!("access_denied"),
        ),
        (Reply::text(200, ""), 500, json!("server_error")),
        (Reply::text(200, "{"), 500, json!("server_error")),
        (session(&json!("text")), 500, json!("server_error")),
        (
            Reply::json(200, &json!({"session": []})),
            500,
            json!("server_error"),
        ),
        (Reply::json(200, &long), 500, json!("server_error")),
        (Reply::text(400, ""), 500, json!("server_error")),
        (Reply::text(429, ""), 500, json!("server_error")),
        (
            Reply::text(302, "").with("Location", "http://127.0.0.1/elsewhere"),
            500,
            json!("server_error"),
        ),
    ] {
        let (room, hook) = asking(reply.clone(), tutorial()).await;
        let id = room.create(json!({})).await;
        let answer = room.basic(&id, "traefiklabs", "").await;
        assert_eq!(answer.status, status, "{reply:?}: {}", answer.text);
        assert_eq!(answer.json()["error"], code, "{reply:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(hook.count(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn what_the_hook_leaves_open_is_null_and_what_it_leaves_alone_stays() {
    for (reply, expected) in [
        (Reply::text(204, ""), json!({})),
        (Reply::json(200, &json!({})), Value::Null),
    ] {
        let (room, _hook) = asking(reply, tutorial()).await;
        let token = room.token(&room.create(json!({})).await).await;
        assert_eq!(claims(&token)["ext"], expected);
    }
}

#[tokio::test]
async fn a_hook_that_fails_is_asked_three_times_and_then_there_is_no_token() {
    let (room, hook) = asking(Reply::text(503, ""), tutorial()).await;
    let id = room.create(json!({})).await;
    let answer = room.basic(&id, "traefiklabs", "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(hook.count(), 3);
}

#[tokio::test]
async fn a_hook_that_hangs_does_not_hold_a_request_for_ever() {
    let (room, hook) = asking(Reply::Hang, tutorial()).await;
    let id = room.create(json!({})).await;
    let asking = tokio::spawn(async move { room.basic(&id, "traefiklabs", "").await });
    hook.asked(1).await;
    tokio::time::pause();
    let answer = asking.await.unwrap();
    assert_eq!(
        answer.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn the_hook_hears_nothing_of_requests_that_are_refused_anyway() {
    let (room, hook) = asking(Reply::text(204, ""), tutorial()).await;
    let id = room.create(json!({"scope": "read"})).await;
    room.basic(&id, "wrong-secret", "").await;
    room.basic(&id, "traefiklabs", "&scope=write").await;
    room.basic(&id, "traefiklabs", "&audience=https://other.example")
        .await;
    assert_eq!(hook.count(), 0);
    let other = room
        .create(json!({"grant_types": ["authorization_code"]}))
        .await;
    let answer = room.basic(&other, "traefiklabs", "").await.json();
    assert_eq!(answer["error"], "unauthorized_client");
    assert_eq!(hook.count(), 1);
}

// Holds SS-02.
#[tokio::test]
async fn a_hook_at_a_link_local_address_is_never_asked() {
    for url in ["http://169.254.169.254/hook", "http://[fe80::1]/hook"] {
        let options = Options {
            token_hook: Some(TokenHook {
                url: url.to_owned(),
                auth: None,
            }),
            ..tutorial()
        };
        let room = Room::new(options).await;
        let id = room.create(json!({})).await;
        let answer = room.basic(&id, "traefiklabs", "");
        let answer = tokio::time::timeout(Duration::from_secs(5), answer).await;
        assert_eq!(answer.unwrap().json()["error"], "server_error", "{url}");
    }
}

// Holds SE-05.
#[tokio::test]
async fn the_key_of_the_hook_is_in_no_debug_output() {
    let (room, _hook) = asking(Reply::text(204, ""), tutorial()).await;
    let shown = format!("{:?}", room.server);
    assert!(!shown.contains("canary"), "{shown}");
    room.admin(Method::GET, "/health/ready", Value::Null).await;
}
