//! The description of the admin API, held against the server that gives it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

async fn description(room: &Room) -> Value {
    let answer = room.admin(Method::GET, "/openapi.json", Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

#[tokio::test]
async fn the_description_has_each_path_with_exactly_the_methods_that_are_served() {
    let room = Room::new(tutorial()).await;
    let description = description(&room).await;
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    let names: Vec<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "/admin/clients",
            "/admin/clients/{id}",
            "/admin/clients/{id}/lifespans",
            "/admin/clients/{id}/secrets/rotate",
            "/admin/health/alive",
            "/admin/health/ready",
            "/admin/keys/{set}",
            "/admin/keys/{set}/{kid}",
            "/admin/metrics/prometheus",
            "/admin/oauth2/auth/requests/consent",
            "/admin/oauth2/auth/requests/consent/accept",
            "/admin/oauth2/auth/requests/consent/reject",
            "/admin/oauth2/auth/requests/device/accept",
            "/admin/oauth2/auth/requests/login",
            "/admin/oauth2/auth/requests/login/accept",
            "/admin/oauth2/auth/requests/login/reject",
            "/admin/oauth2/auth/requests/logout",
            "/admin/oauth2/auth/requests/logout/accept",
            "/admin/oauth2/auth/requests/logout/reject",
            "/admin/oauth2/auth/sessions/consent",
            "/admin/oauth2/auth/sessions/login",
            "/admin/oauth2/introspect",
            "/admin/oauth2/tokens",
            "/admin/openapi.json",
            "/admin/revocations",
            "/admin/trust/grants/jwt-bearer/issuers",
            "/admin/trust/grants/jwt-bearer/issuers/{id}",
            "/admin/version",
        ]
    );
    for (path, item) in paths {
        let mut described: Vec<String> = item
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        // The server says which methods there are when one is wrong.
        let wrong = Method::from_bytes(b"WRONG").unwrap();
        let answer = room.admin(wrong, path, Value::Null).await;
        let served = answer.header("allow").unwrap().split(", ");
        let mut served: Vec<&str> = served.filter(|method| *method != "HEAD").collect();
        described.sort();
        served.sort_unstable();
        assert_eq!(described, served, "{path}");
    }
}

/// Follows a reference into the description.
fn resolved<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => description
            .pointer(name.strip_prefix('#').unwrap())
            .unwrap(),
        None => schema,
    }
}

#[tokio::test]
async fn every_answer_and_every_reference_is_described() {
    let room = Room::new(tutorial()).await;
    let description = description(&room).await;
    room.create(json!({"client_id": "a"})).await;
    for (method, path, body, described) in [
        (Method::POST, "/clients", json!({}), "/admin/clients"),
        (Method::POST, "/clients", json!([]), "/admin/clients"),
        (
            Method::POST,
            "/clients",
            json!({"client_id": "a"}),
            "/admin/clients",
        ),
        (
            Method::GET,
            "/clients?limit=x",
            Value::Null,
            "/admin/clients",
        ),
        (
            Method::GET,
            "/clients/b",
            Value::Null,
            "/admin/clients/{id}",
        ),
        (Method::DELETE, "/keys/b", Value::Null, "/admin/keys/{set}"),
        (Method::GET, "/keys/b", Value::Null, "/admin/keys/{set}"),
        (
            Method::POST,
            "/clients/a/secrets/rotate",
            Value::Null,
            "/admin/clients/{id}/secrets/rotate",
        ),
        (
            Method::POST,
            "/oauth2/introspect",
            Value::Null,
            "/admin/oauth2/introspect",
        ),
        (
            Method::DELETE,
            "/oauth2/tokens",
            Value::Null,
            "/admin/oauth2/tokens",
        ),
    ] {
        let answer = room.admin(method.clone(), path, body).await;
        let operation = &description["paths"][described][method.as_str().to_lowercase()];
        let response = &operation["responses"][answer.status.as_str()];
        assert!(response.is_object(), "{method} {path}: {}", answer.status);
        let content = response["content"].as_object();
        let schema = content.map(|content| &content.values().next().unwrap()["schema"]);
        match schema.map(|schema| resolved(&description, schema)) {
            None => assert_eq!(answer.text, "", "{method} {path}"),
            Some(schema) => assert!(schema.is_object(), "{method} {path}"),
        }
    }
}

#[tokio::test]
async fn the_members_of_a_client_are_all_described() {
    let room = Room::new(tutorial()).await;
    let description = description(&room).await;
    room.create(json!({"client_id": "a"})).await;
    let schema = &description["components"]["schemas"]["Client"];
    let parts = schema["allOf"].as_array().unwrap().iter();
    let described: Vec<&String> = parts
        .map(|part| resolved(&description, part))
        .flat_map(|part| part["properties"].as_object().unwrap().keys())
        .collect();
    let client = room.admin(Method::GET, "/clients/a", Value::Null).await;
    for member in client.json().as_object().unwrap().keys() {
        assert!(described.contains(&member), "{member}");
    }
}
