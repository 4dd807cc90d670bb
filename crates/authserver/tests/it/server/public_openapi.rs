//! The description of the public port, held against the server that gives it.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

async fn description(room: &Room) -> Value {
    let answer = room.get("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

#[tokio::test]
async fn the_description_has_each_path_with_exactly_the_methods_that_are_served() {
    let mut options = tutorial();
    options.people.registration_enabled = true;
    options.status_list = Some(Duration::from_secs(60));
    let room = Room::new(options).await;
    let description = description(&room).await;
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    let mut names: Vec<&str> = paths.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "/.well-known/jwks.json",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/health/alive",
            "/health/ready",
            "/oauth2/auth",
            "/oauth2/device/auth",
            "/oauth2/device/verify",
            "/oauth2/fallbacks/consent",
            "/oauth2/fallbacks/device",
            "/oauth2/fallbacks/device/done",
            "/oauth2/fallbacks/error",
            "/oauth2/fallbacks/login",
            "/oauth2/fallbacks/logout",
            "/oauth2/fallbacks/logout/callback",
            "/oauth2/register",
            "/oauth2/register/{id}",
            "/oauth2/revoke",
            "/oauth2/sessions/logout",
            "/oauth2/status/{list}",
            "/oauth2/token",
            "/openapi.json",
            "/userinfo",
        ]
    );
    let id = room.create(json!({})).await;
    let list = super::status_list::name(&room.token(&id).await);
    for (path, item) in paths {
        let path = &path.replace("{list}", &list);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let described = item.get(method.to_lowercase()).is_some();
            let answer = room.public(method.parse().unwrap(), path).await;
            let missing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            let served = !missing.contains(&answer.status);
            assert_eq!(described, served, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_is_described_with_its_body() {
    let room = Room::new(tutorial()).await;
    let description = description(&room).await;
    let id = room.create(json!({})).await;
    let form = "grant_type=client_credentials";
    for (answer, method, path) in [
        (
            room.basic(&id, "traefiklabs", "").await,
            "post",
            "/oauth2/token",
        ),
        (room.basic(&id, "wrong", "").await, "post", "/oauth2/token"),
        (
            room.post("/oauth2/token", &[], form).await,
            "post",
            "/oauth2/token",
        ),
        (
            room.post("/oauth2/revoke", &[], "token=x").await,
            "post",
            "/oauth2/revoke",
        ),
        (room.get("/userinfo").await, "get", "/userinfo"),
        (
            room.post("/userinfo", &[], "access_token=x").await,
            "post",
            "/userinfo",
        ),
        (
            room.get("/.well-known/jwks.json").await,
            "get",
            "/.well-known/jwks.json",
        ),
        (room.get("/health/ready").await, "get", "/health/ready"),
    ] {
        let operation = &description["paths"][path][method];
        let response = &operation["responses"][answer.status.as_str()];
        assert!(response.is_object(), "{method} {path}: {}", answer.status);
        assert!(
            response["content"]["application/json"].is_object(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_members_of_answers_are_all_described() {
    let room = Room::new(tutorial()).await;
    let description = description(&room).await;
    let id = room.create(json!({})).await;
    let schemas = &description["components"]["schemas"];
    for (schema, answer) in [
        ("TokenResponse", room.basic(&id, "traefiklabs", "").await),
        (
            "Metadata",
            room.get("/.well-known/openid-configuration").await,
        ),
        ("Jwks", room.get("/.well-known/jwks.json").await),
    ] {
        let described = schemas[schema]["properties"].as_object();
        let described = described.unwrap_or_else(|| panic!("{schema}: {schemas}"));
        for member in answer.json().as_object().unwrap().keys() {
            assert!(described.contains_key(member), "{schema}: {member}");
        }
    }
    let wrong = room.public(Method::GET, "/admin/openapi.json").await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
}
