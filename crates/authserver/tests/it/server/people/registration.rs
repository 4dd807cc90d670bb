//! Clients that register themselves.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use carnet_authserver::{Options, People};
use serde_json::{Value, json};

use super::{options, text};
use crate::server::{Answer, Room, send};

async fn open() -> Room {
    Room::new(Options {
        people: People {
            registration_enabled: true,
            ..options().people
        },
        ..options()
    })
    .await
}

async fn call(room: &Room, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    send(room.server.public_router(), request).await
}

async fn register(room: &Room, client: &Value) -> Answer {
    call(room, Method::POST, "/oauth2/register", "", client).await
}

#[tokio::test]
async fn a_client_looks_after_itself_by_its_token_alone() {
    let room = open().await;
    let client = json!({"client_id": "mine", "redirect_uris": ["https://app.example/cb"]});
    let made = register(&room, &client).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_ne!(made["client_id"], "mine", "ids are given, not chosen");
    let (id, token) = (
        text(&made, "client_id"),
        text(&made, "registration_access_token"),
    );
    let path = format!("/oauth2/register/{id}");
    let uri = format!("http://hydra.docker.localhost{path}");
    assert_eq!(made["registration_client_uri"], uri);
    let read = call(&room, Method::GET, &path, token, &Value::Null).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    assert_eq!(read.json().get("metadata"), None);
    assert_eq!(read.json().get("client_secret"), None);

    let other = register(&room, &client).await.json();
    for wrong in ["", "x", text(&other, "registration_access_token")] {
        let answer = call(&room, Method::GET, &path, wrong, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        let unknown = call(
            &room,
            Method::GET,
            "/oauth2/register/x",
            wrong,
            &Value::Null,
        )
        .await;
        assert_eq!(unknown.text, answer.text);
    }
    let changed = json!({"client_name": "y"});
    let replaced = call(&room, Method::PUT, &path, token, &changed).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text);
    let next = replaced.json();
    assert_eq!(
        (&next["client_name"], next.get("registration_client_uri")),
        (&json!("y"), None)
    );
    let old = call(&room, Method::GET, &path, token, &Value::Null).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let next = text(&next, "registration_access_token");
    let chosen = json!({"client_secret": "mine-mine"});
    let answer = call(&room, Method::PUT, &path, next, &chosen).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let gone = call(&room, Method::DELETE, &path, next, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        room.get_admin(&format!("/admin/clients/{id}")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_client_does_not_give_itself_what_an_administrator_gives() {
    let room = open().await;
    for (client, error) in [
        (json!({"client_secret": "mine-mine"}), "malformed"),
        (json!({"metadata": {"a": 1}}), "invalid_client_metadata"),
        (
            json!({"audience": ["https://api.example"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"grant_types": ["client_credentials"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"jwks_uri": "http://169.254.169.254/"}),
            "invalid_client_metadata",
        ),
        (
            json!({"backchannel_logout_uri": "http://10.0.0.1/"}),
            "invalid_client_metadata",
        ),
        (
            json!({"sector_identifier_uri": "https://10.0.0.1/uris.json"}),
            "invalid_client_metadata",
        ),
        (json!({"skip_consent": true}), "invalid_request"),
        (json!({"access_token_strategy": "jwt"}), "invalid_request"),
        (
            json!({"access_token_claims": {"role": "admin"}}),
            "invalid_request",
        ),
    ] {
        let answer = register(&room, &client).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{client}: {}",
            answer.text
        );
        let found = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(found.contains(error), "{client}: {found}");
    }
}

#[tokio::test]
async fn a_client_gets_what_all_get_that_register_themselves() {
    let people = People {
        registration_enabled: true,
        added_audience: vec!["https://api.example/mcp".to_owned()],
        added_scope: vec!["tools".to_owned(), "tools:write".to_owned()],
        ..options().people
    };
    let room = Room::new(Options {
        people,
        ..options()
    })
    .await;
    let client = json!({"redirect_uris": ["https://app.example/cb"], "scope": "tools own"});
    let made = register(&room, &client).await.json();
    assert_eq!(made["audience"], json!(["https://api.example/mcp"]));
    assert_eq!(made["scope"], "tools own tools:write");
    // What it was told it may send back (RFC 7592, section 2.2).
    let path = format!("/oauth2/register/{}", text(&made, "client_id"));
    let mut again = made.clone();
    again.as_object_mut().unwrap().remove("client_secret");
    let token = text(&made, "registration_access_token");
    let replaced = call(&room, Method::PUT, &path, token, &again).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text);
    assert_eq!(replaced.json()["audience"], made["audience"]);
    assert_eq!(replaced.json()["scope"], made["scope"]);
    let is_nothing = |value: &Value| [json!(null), json!(""), json!([]), json!({})].contains(value);
    for told in [&made, &replaced.json()] {
        let members = told.as_object().unwrap();
        let found = members.iter().find(|(_, value)| is_nothing(value));
        assert_eq!(
            found, None,
            "what is not registered is not there (RFC 7591, section 3.2.1)"
        );
    }
    let usual = register(&room, &json!({})).await.json();
    assert_eq!(
        usual["scope"],
        "offline_access offline openid tools tools:write"
    );
    let more = json!({"audience": ["https://api.example/mcp", "https://api.example"]});
    let refused = register(&room, &more).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
}

#[tokio::test]
async fn nobody_registers_where_that_is_not_switched_on() {
    let room = Room::new(options()).await;
    let id = room.create(json!({})).await;
    for (method, path) in [
        (Method::POST, "/oauth2/register".to_owned()),
        (Method::GET, format!("/oauth2/register/{id}")),
        (Method::PUT, format!("/oauth2/register/{id}")),
        (Method::DELETE, format!("/oauth2/register/{id}")),
    ] {
        let answer = call(&room, method, &path, "x", &json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let document = room.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document.get("registration_endpoint"), None);
    let document = open()
        .await
        .get("/.well-known/openid-configuration")
        .await
        .json();
    let address = "http://hydra.docker.localhost/oauth2/register";
    assert_eq!(document["registration_endpoint"], address);
}
