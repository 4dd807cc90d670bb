//! `secrets.system` that change: what was made under the old one goes on working, and becomes
//! independent of it.

use std::{path::Path, sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, Algorithm, Authserver, Options, store};
use carnet_testkit::{FixedClock, SeededRandom};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

const OLD: &str = "old-system-secret-0123";
const NEW: &str = "new-system-secret-0123";

fn options(secrets: &[&str]) -> Options {
    Options {
        algorithm: Algorithm::Es256,
        system_secrets: secrets.iter().map(|&text| text.into()).collect(),
        ..tutorial()
    }
}

async fn open(folder: &Path) -> Arc<dyn store::Store> {
    let dsn = format!("sqlite://{}", folder.join("db").display());
    store::migrate(&dsn).await.unwrap();
    store::open(&dsn).await.unwrap()
}

async fn with(folder: &Path, secrets: &[&str]) -> Room {
    Room::over(options(secrets), open(folder).await).await
}

/// The sealed keys, once they are others than before.
async fn resealed(room: &Room, before: &[store::KeyRow]) -> Vec<store::KeyRow> {
    let changed = async {
        loop {
            let rows = room.store.all_keys().await.unwrap();
            let is_same = |row: &store::KeyRow| before.iter().any(|old| old.sealed == row.sealed);
            if !rows.iter().any(is_same) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, changed).await.unwrap()
}

// Holds SE-02.
#[tokio::test]
async fn after_one_start_with_both_secrets_the_old_one_can_go() {
    let folder = tempfile::tempdir().unwrap();
    let room = with(folder.path(), &[OLD]).await;
    let id = room.create(json!({"client_secret": ""})).await;
    let rotated = room
        .admin(
            Method::POST,
            &format!("/admin/clients/{id}/secrets/rotate"),
            Value::Null,
        )
        .await
        .json();
    let second = rotated["client_secret"].as_str().unwrap().to_owned();
    let third = room
        .admin(
            Method::POST,
            &format!("/admin/clients/{id}/secrets/rotate"),
            Value::Null,
        )
        .await
        .json();
    let third = third["client_secret"].as_str().unwrap().to_owned();
    let token = room.basic(&id, &second, "").await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    room.get("/.well-known/jwks.json").await;
    let jwks = room.get("/.well-known/jwks.json").await.text;
    let before = room.store.all_keys().await.unwrap();
    drop(room);

    let room = with(folder.path(), &[NEW, OLD]).await;
    let after = resealed(&room, &before).await;
    let lives = |rows: &[store::KeyRow]| {
        let rows = rows.iter().map(|row| (row.kid.clone(), row.life.clone()));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(lives(&after), lives(&before));
    // A secret of each kind is used once, and hashed anew by it.
    for secret in [&second, &third] {
        assert_eq!(room.basic(&id, secret, "").await.status, StatusCode::OK);
    }
    assert_eq!(room.introspect(&token).await["active"], true);
    drop(room);

    let room = with(folder.path(), &[NEW]).await;
    assert_eq!(room.get("/.well-known/jwks.json").await.text, jwks);
    assert_eq!(room.introspect(&token).await["active"], true);
    for secret in [&second, &third] {
        assert_eq!(room.basic(&id, secret, "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn opaque_tokens_count_while_the_secret_of_their_time_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let opaque = |secrets: &[&str]| Options {
        access_token_strategy: AccessTokenStrategy::Opaque,
        ..options(secrets)
    };
    let room = Room::over(opaque(&[OLD]), open(folder.path()).await).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    let before = room.store.all_keys().await.unwrap();
    drop(room);
    let room = Room::over(opaque(&[NEW, OLD]), open(folder.path()).await).await;
    assert_eq!(room.introspect(&token).await["active"], true);
    let fresh = room.token(&id).await;
    resealed(&room, &before).await;
    drop(room);
    let room = Room::over(opaque(&[NEW]), open(folder.path()).await).await;
    assert_eq!(room.introspect(&token).await["active"], false);
    assert_eq!(room.introspect(&fresh).await["active"], true);
}

#[tokio::test]
async fn a_missing_secret_is_named_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let room = with(folder.path(), &[OLD]).await;
    room.get("/.well-known/jwks.json").await;
    drop(room);
    let started = Authserver::new(
        options(&[NEW]),
        open(folder.path()).await,
        Arc::new(FixedClock::default()),
        Arc::new(SeededRandom::default()),
    );
    let sentence = started.await.unwrap_err().to_string();
    for part in ["cannot be opened", "secrets.system", "put that one back"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[tokio::test]
async fn a_server_that_lacks_the_newest_secret_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let old = with(folder.path(), &[OLD]).await;
    let id = old.create(json!({})).await;
    let token = old.token(&id).await;
    let extra = "/admin/keys/extra";
    old.admin(Method::POST, extra, json!({"alg": "ES256"}))
        .await;
    let before = old.store.all_keys().await.unwrap();
    let new = with(folder.path(), &[NEW, OLD]).await;
    resealed(&new, &before).await;
    // Once it has seen what is younger, it has seen the sealed keys too.
    new.admin(Method::DELETE, extra, Value::Null).await;
    let seen = async {
        while old.admin(Method::GET, extra, Value::Null).await.status == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, seen).await.unwrap();
    let later = old.token(&id).await;
    for room in [&old, &new] {
        assert_eq!(room.introspect(&token).await["active"], true);
        assert_eq!(room.introspect(&later).await["active"], true);
    }
}
