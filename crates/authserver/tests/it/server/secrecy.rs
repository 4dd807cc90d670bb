//! Secrets are in no log and no debug output.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use serde_json::{Value, json};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

use crate::server::{Room, SYSTEM_SECRET, tutorial};

/// Every endpoint, those of one port asked at the other as well.
const EVERYWHERE: [&str; 16] = [
    "/",
    "/oauth2/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/oauth2/tokens",
    "/oauth2/register",
    "/userinfo",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/health/alive",
    "/health/ready",
    "/admin/clients",
    "/admin/clients/nobody/secrets/rotate",
    "/admin/keys/nothing",
    "/version",
    "/nowhere",
];

/// All that is logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

// Holds SE-05.
#[tokio::test]
async fn secrets_keys_and_tokens_are_in_no_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    // For all threads; what other tests log is searched as well.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    // What may be written is written.
    let mut options = tutorial();
    options.ports.request_log.leaks = true;
    let room = Room::new(options).await;
    let id = room
        .create(json!({"client_secret": "canary-supplied"}))
        .await;
    let generated = room
        .admin(Method::POST, "/clients", json!({"client_id": "g"}))
        .await
        .json();
    let generated = generated["client_secret"].as_str().unwrap().to_owned();
    room.basic(&id, "canary-wrong", "").await;
    room.basic("canary-unknown", "canary-supplied", "").await;
    let query = "/oauth2/token?client_secret=canary-query";
    room.post(
        query,
        &[],
        "grant_type=client_credentials&client_secret=canary-body",
    )
    .await;
    let token = room.basic(&id, "canary-supplied", "").await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    room.introspect(&token).await;
    let set = "/admin/keys/hydra.jwt.access-token";
    let keys = room.admin(Method::GET, set, Value::Null).await.json();
    let private = keys["keys"][0]["d"].as_str().unwrap().to_owned();
    room.admin(
        Method::PUT,
        &format!("{set}/x"),
        json!({"kty": "oct", "k": "canary-key"}),
    )
    .await;
    room.admin(
        Method::POST,
        "/clients",
        json!({"client_secret": ["canary-type"]}),
    )
    .await;

    let headers = [
        ("authorization", "Bearer canary-bearer"),
        ("cookie", "session=canary-cookie"),
        ("proxy-authorization", "Basic canary-proxy"),
        ("dpop", "canary-proof"),
        ("x-api-key", "canary-api-key"),
        ("x-session-token", "canary-session"),
        ("referer", "https://a/?code=canary-referer"),
    ];
    for path in EVERYWHERE {
        let path = format!("{path}?token=canary-query&client_assertion=canary-query");
        room.post(
            &path,
            &headers,
            "token=canary-form&client_secret=canary-form",
        )
        .await;
        room.post_admin(&path, "token=canary-form").await;
        room.get(&path).await;
        room.admin(Method::GET, &path, Value::Null).await;
        room.admin(Method::DELETE, &path, Value::Null).await;
    }

    let debug = format!("{:?} {:?}", room.server, room.store);
    let log = log.text();
    for expected in ["signing key", "completed handling request", "sign", "store"] {
        assert!(log.contains(expected), "{expected} was not logged");
    }
    for text in [log, debug] {
        for secret in ["canary", SYSTEM_SECRET, &generated, &token, &private] {
            let found = text.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "{secret}");
        }
    }
}
