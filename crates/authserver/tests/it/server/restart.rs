//! What outlives the process.

use std::path::Path;

use axum::http::StatusCode;
use carnet_authserver::{AccessTokenStrategy, Authserver, Options, store};
use carnet_jose::Algorithm;
use serde_json::json;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

use crate::server::{Room, tutorial};

async fn open(file: &Path) -> std::sync::Arc<dyn store::Store> {
    let dsn = format!("sqlite://{}?_fk=true", file.display());
    store::migrate(&dsn).await.unwrap();
    store::open(&dsn).await.unwrap()
}

// Holds OP-12.
#[tokio::test]
async fn a_restart_keeps_clients_keys_and_tokens() {
    for strategy in [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("carnet.sqlite");
        let options = || Options {
            access_token_strategy: strategy,
            ..tutorial()
        };
        let before = Room::over(options(), open(&file).await).await;
        let id = before.create(json!({})).await;
        let token = before.token(&id).await;
        let jwks = before.get("/.well-known/jwks.json").await.text;
        drop(before);

        let after = Room::over(options(), open(&file).await).await;
        assert_eq!(after.get("/.well-known/jwks.json").await.text, jwks);
        assert_eq!(after.introspect(&token).await["active"], true);
        assert_eq!(
            after.basic(&id, "traefiklabs", "").await.status,
            StatusCode::OK
        );
        assert_eq!(
            after.basic(&id, "wrong", "").await.status,
            StatusCode::UNAUTHORIZED
        );
    }
}

// Holds OP-12.
#[tokio::test]
async fn a_copy_made_while_the_server_writes_serves_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("db"), folder.path().join("copy"));
    let options = || Options {
        algorithm: Algorithm::Es256,
        ..tutorial()
    };
    let room = Room::over(options(), open(&file).await).await;
    let opaque = json!({"access_token_strategy": "opaque"});
    let clients = [
        room.create(json!({})).await,
        room.create(opaque).await,
        room.create(json!({"token_endpoint_auth_method": "client_secret_post"}))
            .await,
    ];
    let mut tokens = Vec::new();
    for at in 0..1000 {
        tokens.push(room.token(&clients[at % 2]).await);
    }
    let writing = async {
        for at in 0..50 {
            room.create(json!({"client_id": format!("later-{at}")}))
                .await;
        }
    };
    let copying = async {
        let mut other = SqliteConnectOptions::new()
            .filename(&file)
            .connect()
            .await
            .unwrap();
        let into = copy.to_str().unwrap();
        sqlx::query("VACUUM INTO ?")
            .bind(into)
            .execute(&mut other)
            .await
            .unwrap();
    };
    tokio::join!(writing, copying);
    drop(room);

    let elsewhere = Room::over(options(), open(&copy).await).await;
    for token in &tokens {
        assert_eq!(elsewhere.introspect(token).await["active"], true);
    }
    for id in &clients[..2] {
        let answer = elsewhere.basic(id, "traefiklabs", "").await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let post = &clients[2];
    let form = format!("grant_type=client_credentials&client_id={post}&client_secret=traefiklabs");
    let answer = elsewhere.post("/oauth2/token", &[], &form).await;
    assert_eq!(answer.status, StatusCode::OK);
}

// Holds SE-02.
#[tokio::test]
async fn a_server_with_another_secret_does_not_start_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("carnet.sqlite");
    let room = Room::over(tutorial(), open(&file).await).await;
    room.get("/.well-known/jwks.json").await;
    let before = room.store.all_keys().await.unwrap();
    let with = async |secrets: &[&str]| {
        let options = Options {
            system_secrets: secrets.iter().map(|&text| text.into()).collect(),
            ..tutorial()
        };
        Authserver::new(
            options,
            open(&file).await,
            std::sync::Arc::new(carnet_testkit::FixedClock::default()),
            std::sync::Arc::new(carnet_testkit::SeededRandom::default()),
        )
        .await
    };
    let error = with(&["another-system-secret"])
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("secrets.system"), "{error}");
    assert_eq!(room.store.all_keys().await.unwrap(), before);
    assert!(
        with(&["another-system-secret", crate::server::SYSTEM_SECRET])
            .await
            .is_ok()
    );
}

// Holds SE-01.
#[tokio::test]
async fn the_file_holds_no_secret_no_key_and_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("carnet.sqlite");
    let opaque = Options {
        access_token_strategy: AccessTokenStrategy::Opaque,
        ..tutorial()
    };
    let room = Room::over(opaque, open(&file).await).await;
    let supplied = room
        .create(json!({"client_secret": "canary-supplied"}))
        .await;
    let generated = room.create(json!({"client_secret": null})).await;
    let token = room.basic(&supplied, "canary-supplied", "").await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    room.get("/.well-known/jwks.json").await;
    let set = "/admin/keys/hydra.jwt.access-token";
    let keys = room
        .admin(axum::http::Method::GET, set, serde_json::Value::Null)
        .await
        .json();
    let private = keys["keys"][0]["d"].as_str().unwrap().to_owned();
    drop(room);
    let mut held = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        held.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let held = String::from_utf8_lossy(&held).into_owned();
    assert!(held.contains(&supplied) && held.contains(&generated));
    for secret in [
        "canary-supplied",
        &token,
        &token[7..50],
        &token[51..],
        &private,
    ] {
        assert!(!held.contains(secret), "{secret}");
    }
}
