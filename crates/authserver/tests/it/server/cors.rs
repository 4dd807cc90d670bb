//! Web pages that call the server.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use carnet_authserver::{Cors, Options};
use serde_json::json;

use crate::server::{Answer, Room, send, tutorial};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn cors(origins: &[&str]) -> Cors {
    Cors {
        allowed_origins: words(origins),
        allowed_methods: words(&["GET", "POST"]),
        allowed_headers: words(&["Authorization", "Content-Type"]),
        exposed_headers: words(&["Cache-Control"]),
        allow_credentials: true,
        ..Cors::default()
    }
}

async fn room(origins: &[&str]) -> Room {
    Room::new(Options {
        public_cors: Some(cors(origins)),
        admin_cors: Some(cors(&["https://admin.example"])),
        ..tutorial()
    })
    .await
}

fn preflight(path: &str, origin: &str) -> Request<Body> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap()
}

fn permissions(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(|name| name.as_str());
    let mut names: Vec<&str> = names
        .filter(|name| name.starts_with("access-control"))
        .collect();
    names.sort_unstable();
    names
}

async fn token_from(room: &Room, id: &str, secret: &str, origin: &str) -> Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    room.post("/oauth2/token", &[("origin", origin)], &form)
        .await
}

#[tokio::test]
async fn a_preflight_is_answered_and_permits_only_allowed_origins() {
    let room = room(&["https://app.example", "https://*.wild.example"]).await;
    for path in ["/oauth2/token", "/.well-known/jwks.json", "/nowhere"] {
        for (origin, expected) in [
            ("https://app.example", true),
            ("https://a.wild.example", true),
            ("https://evil.example", false),
        ] {
            let answer = send(room.server.public_router(), preflight(path, origin)).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, expected.then_some(origin), "{path}");
            assert_eq!(
                permissions(&answer).is_empty(),
                !expected,
                "{path} {origin}"
            );
        }
    }
    let admin = |origin| {
        send(
            room.server.admin_router(),
            preflight("/admin/clients", origin),
        )
    };
    assert!(!permissions(&admin("https://admin.example").await).is_empty());
    assert!(permissions(&admin("https://app.example").await).is_empty());
}

// Holds TE-12.
#[tokio::test]
async fn origins_of_a_client_count_for_what_it_gets_with_its_secret_only() {
    let room = room(&["https://app.example"]).await;
    let id = room
        .create(json!({
            "token_endpoint_auth_method": "client_secret_post",
            "allowed_cors_origins": ["https://client.example"],
        }))
        .await;
    let all = [
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-expose-headers",
    ];
    for (origin, secret, expected) in [
        ("https://app.example", "traefiklabs", &all[..]),
        ("https://client.example", "traefiklabs", &all),
        ("https://evil.example", "traefiklabs", &[]),
        ("https://app.example", "wrong", &all),
        ("https://client.example", "wrong", &[]),
    ] {
        let answer = token_from(&room, &id, secret, origin).await;
        assert_eq!(answer.status == StatusCode::OK, secret == "traefiklabs");
        assert_eq!(permissions(&answer), expected, "{origin} {secret}");
    }
    let own = send(
        room.server.public_router(),
        preflight("/oauth2/token", "https://client.example"),
    );
    assert!(permissions(&own.await).is_empty());
}

#[tokio::test]
async fn any_page_of_the_world_gets_no_credentials() {
    let room = room(&["*"]).await;
    let answer = send(
        room.server.public_router(),
        preflight("/oauth2/token", "https://any.example"),
    )
    .await;
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://any.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

// Holds TE-27.
#[tokio::test]
async fn pages_of_elsewhere_may_call_nothing_where_nothing_is_switched_on() {
    let room = Room::new(tutorial()).await;
    let origin = "https://app.example";
    for path in [
        "/oauth2/token",
        "/oauth2/revoke",
        "/.well-known/jwks.json",
        "/userinfo",
    ] {
        let answer = send(room.server.public_router(), preflight(path, origin)).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
        assert_eq!(permissions(&answer), [""; 0], "{path}");
    }
    for path in ["/admin/clients", "/clients/a", "/oauth2/introspect"] {
        let answer = send(room.server.admin_router(), preflight(path, origin)).await;
        assert_eq!(permissions(&answer), [""; 0], "{path}");
    }
    let id = room
        .create(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let answer = token_from(&room, &id, "traefiklabs", origin).await;
    assert_eq!(
        (answer.status, permissions(&answer)),
        (StatusCode::OK, vec![])
    );
}
