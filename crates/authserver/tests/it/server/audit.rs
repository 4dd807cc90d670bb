//! Who changed what, and who failed to authenticate.

use std::path::Path;

use axum::http::{Method, StatusCode};
use carnet_authserver::{Authserver, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Room, tutorial};

async fn noted() -> (Room, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        audit_file: Some(folder.path().join("audit.log")),
        ..tutorial()
    };
    (Room::new(options).await, folder)
}

fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("audit.log")).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The lines about failures, as soon as there are so many.
async fn failures(folder: &Path, count: usize) -> Vec<Value> {
    for _ in 0..1000 {
        let mut found = lines(folder);
        found.retain(|line| line["event"] == "authentication");
        if found.len() >= count {
            return found;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("fewer than {count} failures were noted");
}

// Holds SE-11.
#[tokio::test]
async fn each_write_of_an_administrator_has_a_line_before_it_and_one_after() {
    let (room, folder) = noted().await;
    let id = room.create(json!({"client_secret": "canary-secret"})).await;
    let path = format!("/admin/clients/{id}");
    room.admin(Method::GET, &path, Value::Null).await;
    let put = json!({"client_secret": "canary-second"});
    room.admin(Method::PUT, &format!("/clients/{id}"), put)
        .await;
    let rotated = room
        .admin(Method::POST, &format!("{path}/secrets/rotate"), Value::Null)
        .await;
    let secret = rotated.json()["client_secret"].as_str().unwrap().to_owned();
    let key = json!({"alg": "ES256", "use": "sig"});
    room.admin(Method::POST, "/admin/keys/canary-set", key)
        .await;
    room.admin(Method::DELETE, "/admin/clients/nobody", Value::Null)
        .await;
    let tokens = format!("/admin/oauth2/tokens?client_id={id}&x=canary-query");
    room.admin(Method::DELETE, &tokens, Value::Null).await;
    room.post_admin("/admin/oauth2/introspect", "token=canary-token")
        .await;
    room.admin(Method::DELETE, "/admin/elsewhere", Value::Null)
        .await;

    let lines = lines(folder.path());
    let seen: Vec<(&str, &str, Option<u64>)> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            (text("event"), text("outcome"), line["status"].as_u64())
        })
        .collect();
    let both = |event, outcome, status| [(event, "begun", None), (event, outcome, Some(status))];
    let expected = [
        both("POST /admin/clients", "done", 201),
        both("PUT /admin/clients/{id}", "done", 200),
        both("POST /admin/clients/{id}/secrets/rotate", "done", 200),
        both("POST /admin/keys/{set}", "done", 201),
        both("DELETE /admin/clients/{id}", "refused", 404),
        both("DELETE /admin/oauth2/tokens", "done", 204),
    ];
    assert_eq!(seen, expected.concat());
    assert_eq!(lines[0]["object"], "/admin/clients");
    assert_eq!(lines[1]["object"], path);
    assert_eq!(lines[3]["object"], path);
    assert_eq!(lines[1]["time"], "2026-11-26T12:00:00.000Z");
    assert_eq!(
        lines[11]["object"],
        format!("/admin/oauth2/tokens?client_id={id}")
    );
    assert_eq!(lines[0]["request"], lines[1]["request"]);
    assert_ne!(lines[1]["request"], lines[2]["request"]);
    let text = std::fs::read_to_string(folder.path().join("audit.log")).unwrap();
    for canary in [
        "canary-secret",
        "canary-second",
        "canary-query",
        "canary-token",
        &secret,
    ] {
        assert!(!text.contains(canary), "{canary} is in {text}");
    }
}

// Holds SE-11.
#[tokio::test]
async fn a_failed_authentication_names_the_client_if_there_is_one_and_no_secret() {
    let (room, folder) = noted().await;
    let id = room.create(json!({})).await;
    room.basic(&id, "canary-wrong", "").await;
    room.basic("canary-id", "canary-wrong", "").await;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=traefiklabs");
    room.post("/oauth2/token", &[], &form).await;
    room.token(&id).await;
    let noted = failures(folder.path(), 3).await;
    let mut seen: Vec<(Option<&str>, &str)> = noted
        .iter()
        .map(|line| (line["object"].as_str(), line["reason"].as_str().unwrap()))
        .collect();
    seen.sort_unstable();
    let id = Some(id.as_str());
    assert_eq!(
        seen,
        [
            (None, "unknown client"),
            (id, "wrong method"),
            (id, "wrong secret")
        ]
    );
    assert!(!format!("{noted:?}").contains("canary"));
    let metrics = room
        .admin(Method::GET, "/metrics/prometheus", Value::Null)
        .await;
    for reason in ["unknown client", "wrong method", "wrong secret"] {
        let line = format!("reason=\"{reason}\"}} 1\n");
        assert!(metrics.text.contains(&line), "{}", metrics.text);
    }
}

// Holds SE-11.
#[tokio::test]
async fn what_cannot_be_noted_is_not_changed_until_it_can() {
    let (room, folder) = noted().await;
    let id = room.create(json!({})).await;
    let file = folder.path().join("audit.log");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let path = format!("/admin/clients/{id}");
    let refused = room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.text
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Tokens do not wait for it.
    room.token(&id).await;
    let failed = room.basic(&id, "wrong-secret", "").await;
    assert_eq!(failed.status, StatusCode::UNAUTHORIZED);
    std::fs::remove_dir(&file).unwrap();
    let deleted = room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    let events = lines_after_a_tear(folder.path());
    assert!(events.contains(&"done".to_owned()), "{events:?}");
}

fn lines_after_a_tear(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("audit.log")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["outcome"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_flood_of_failures_is_counted_and_not_written() {
    let (room, folder) = noted().await;
    let room = &room;
    let asked = (0..300).map(|at| async move {
        room.basic("nobody", &at.to_string(), "").await;
    });
    futures_util::future::join_all(asked).await;
    let noted = failures(folder.path(), 50).await;
    assert!(noted.len() <= 120, "{}", noted.len());
}

#[tokio::test]
async fn a_server_whose_audit_log_cannot_be_written_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        audit_file: Some(folder.path().join("missing/audit.log")),
        ..tutorial()
    };
    let store = carnet_authserver::store::open("memory").await.unwrap();
    let clock = std::sync::Arc::new(carnet_testkit::FixedClock::default());
    let random = std::sync::Arc::new(carnet_testkit::SeededRandom::default());
    let error = Authserver::new(options, store, clock, random)
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("audit.file: "), "{error}");
}
