//! What no answer shows: secrets and their hashes, and how the server is built.

use std::net::TcpListener;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_authserver::store;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use crate::server::{Answer, Room, SYSTEM_SECRET, send, tutorial};

/// What can be read at a port, with names that are there.
fn readable(description: &Value) -> Vec<String> {
    let paths = description["paths"].as_object().unwrap().iter();
    let readable = paths.filter(|(path, item)| {
        // A stream has no end; its own tests say what each event is made of. Requests of people are
        // shown to whoever has their challenge.
        let is_open = *path != "/admin/revocations"
            && !path.starts_with("/admin/oauth2/auth/")
            && *path != "/admin/trust/grants/jwt-bearer/issuers/{id}";
        item.get("get").is_some() && is_open
    });
    readable
        .map(|(path, _)| {
            path.replace("{id}", "a")
                .replace("{set}", "hydra.jwt.access-token")
                .replace("{kid}", "k")
        })
        .collect()
}

// Holds SE-08.
#[tokio::test]
async fn whatever_can_be_read_holds_no_secret_and_no_hash_of_one() {
    let room = Room::new(tutorial()).await;
    room.create(json!({"client_id": "a", "client_secret": "canary-supplied"}))
        .await;
    let rotated = room
        .admin(
            Method::POST,
            "/clients/a/secrets/rotate",
            json!({"kid": "k"}),
        )
        .await
        .json();
    let generated = rotated["client_secret"].as_str().unwrap().to_owned();
    room.get("/.well-known/jwks.json").await;
    let key = json!({"alg": "ES256", "kid": "k"});
    room.admin(Method::POST, "/keys/hydra.jwt.access-token", key)
        .await;
    let row = room.store.find_client("a").await.unwrap().unwrap();
    let hash = |text: &str| text.rsplit(['$', ':']).next().unwrap().to_owned();
    let secrets = [
        "canary-supplied".to_owned(),
        generated,
        hash(&row.secret_hash),
        hash(&row.rotated[0].hash),
        SYSTEM_SECRET.to_owned(),
        STANDARD.encode(SYSTEM_SECRET),
        "$pbkdf2".to_owned(),
    ];
    assert!(secrets.iter().all(|secret| secret.len() > 6), "{secrets:?}");

    let description = room.get_admin("/openapi.json").await.json();
    let mut answers = Vec::new();
    for path in readable(&description) {
        let answer = room.get_admin(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answers.push(answer);
    }
    assert!(answers.len() > 8);
    for path in [
        "/",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/userinfo",
        "/health/ready",
    ] {
        answers.push(room.get(path).await);
    }
    for answer in answers {
        for secret in &secrets {
            assert!(!shown(&answer).contains(secret), "{secret} in {answer:?}");
        }
    }
}

/// Everything that a client gets to see.
fn shown(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers, answer.text)
}

/// Words that say what the server is made of, where it runs and where it keeps things.
const INSIDES: [&str; 14] = [
    "carnet",
    "rust",
    ".rs",
    "axum",
    "hyper",
    "tokio",
    "sqlx",
    "sqlite",
    "serde",
    "select ",
    "no such table",
    "panick",
    "127.0.0.1",
    "/tmp",
];

fn tells_nothing(answer: &Answer, what: &str) {
    let shown = shown(answer).to_lowercase();
    for word in INSIDES {
        assert!(!shown.contains(word), "{what}: {word} in {shown}");
    }
    for header in ["server", "x-powered-by", "via"] {
        assert_eq!(answer.header(header), None, "{what}");
    }
}

// Holds SE-10.
#[tokio::test]
async fn refusals_do_not_show_how_the_server_is_built() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let form = "grant_type=client_credentials";
    let long = "a".repeat(70 * 1024);
    let mut answers = vec![
        (400, room.post("/oauth2/token", &[], form).await),
        (400, room.basic(&id, "traefiklabs", "&scope=nope").await),
        (401, room.basic(&id, "wrong", "").await),
        (404, room.get("/nowhere").await),
        (404, room.get_admin("/nowhere").await),
        (404, room.get_admin("/clients/nobody").await),
        (405, room.get("/oauth2/token").await),
        (405, room.get_admin("/oauth2/introspect").await),
        (413, room.post("/oauth2/token", &[], &long).await),
        (400, room.get_admin("/clients?page_token=x").await),
    ];
    for body in [
        "{",
        "[]",
        "\u{0}",
        "{\"audience\": 1}",
        "{\"client_name\": {}}",
    ] {
        let request = Request::post("/clients").body(Body::from(body)).unwrap();
        answers.push((400, send(room.server.admin_router(), request).await));
    }
    for (status, answer) in answers {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        tells_nothing(&answer, &status.to_string());
    }
}

// Holds SE-10.
#[tokio::test]
async fn a_broken_database_does_not_show_in_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret-place.sqlite");
    let dsn = format!("sqlite://{}", file.display());
    store::migrate(&dsn).await.unwrap();
    let room = Room::over(tutorial(), store::open(&dsn).await.unwrap()).await;
    let id = room.create(json!({"client_id": "a"})).await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut other = options.connect().await.unwrap();
    for (damage, status) in [
        ("UPDATE client SET document = '{\"scope\": 1}'", 500),
        ("ALTER TABLE client RENAME TO gone", 503),
    ] {
        other.execute(damage).await.unwrap();
        let answers = [
            room.basic(&id, "traefiklabs", "").await,
            room.get_admin("/clients/a").await,
            room.get_admin("/clients").await,
        ];
        for answer in answers {
            assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
            tells_nothing(&answer, damage);
            assert!(!shown(&answer).contains("secret-place"));
        }
    }
    let ready = room.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    tells_nothing(&ready, "readiness");
}

// Holds SE-10.
#[tokio::test]
async fn what_is_refused_before_it_is_a_request_is_answered_as_briefly() {
    let room = Room::new(tutorial()).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (server, until) = (room.server.clone(), shutdown.clone());
    let serving = tokio::spawn(async move { server.serve_public(listener, until).await });
    let long = "a".repeat(70 * 1024);
    for (request, status) in [
        (
            format!("GET / HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"),
            "431",
        ),
        ("GET / HTTP/1.1\r\nHo st: h\r\n\r\n".to_owned(), "400"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        // The server may hang up before it has read everything.
        stream.write_all(request.as_bytes()).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8(answer).unwrap().to_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status} ")),
            "{answer}"
        );
        assert!(!answer.contains("server:"), "{answer}");
        for word in INSIDES {
            assert!(!answer.contains(word), "{word} in {answer}");
        }
    }
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
