//! What the server tells about itself.

use axum::http::{Method, StatusCode};
use carnet_authserver::Options;
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

// Holds MD-01, MD-02, MD-03, TE-30, TX-01.
#[tokio::test]
async fn the_document_is_at_both_paths_and_names_what_is_there() {
    let options = Options {
        issuer: "https://i.example/tenant".to_owned(),
        ..tutorial()
    };
    let room = Room::new(options).await;
    let document = room.get("/.well-known/openid-configuration").await;
    assert_eq!(
        document.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/tenant",
    ] {
        assert_eq!(room.get(path).await.text, document.text);
    }
    assert_eq!(
        document.json(),
        json!({
            "issuer": "https://i.example/tenant",
            "authorization_endpoint": "http://hydra.docker.localhost/oauth2/auth",
            "device_authorization_endpoint": "http://hydra.docker.localhost/oauth2/device/auth",
            "token_endpoint": "http://hydra.docker.localhost/oauth2/token",
            "jwks_uri": "https://i.example/tenant/.well-known/jwks.json",
            "subject_types_supported": ["public"],
            "response_types_supported": ["code"],
            "claims_supported": ["sub"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "urn:ietf:params:oauth:grant-type:token-exchange"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "userinfo_endpoint": "http://hydra.docker.localhost/userinfo",
            "scopes_supported": ["offline_access", "offline", "openid"],
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "client_secret_basic", "private_key_jwt", "none"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512", "PS256",
                "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "ML-DSA-44", "ML-DSA-65"],
            "userinfo_signing_alg_values_supported": ["none", "RS256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "id_token_signed_response_alg": ["RS256"],
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "claims_parameter_supported": false,
            "revocation_endpoint": "https://i.example/tenant/oauth2/revoke",
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": true,
            "frontchannel_logout_session_supported": true,
            "end_session_endpoint": "https://i.example/tenant/oauth2/sessions/logout",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "dpop_signing_alg_values_supported": ["RS256", "RS384", "RS512", "PS256", "PS384",
                "PS512", "ES256", "ES384", "ES512", "EdDSA", "ML-DSA-44", "ML-DSA-65"],
            "pushed_authorization_request_endpoint": "http://hydra.docker.localhost/oauth2/par",
        })
    );
}

// Holds JW-18.
#[tokio::test]
async fn published_keys_have_no_private_part() {
    let room = Room::new(tutorial()).await;
    room.get("/.well-known/jwks.json").await;
    for alg in ["ES256", "EdDSA", "ML-DSA-44"] {
        let path = "/admin/keys/hydra.jwt.access-token";
        room.admin(Method::POST, path, json!({"alg": alg})).await;
    }
    let answer = room.get("/.well-known/jwks.json").await;
    let jwks = answer.json();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 5);
    for key in keys {
        let names: Vec<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let private = ["d", "p", "q", "dp", "dq", "qi", "k", "priv"];
        assert!(
            private.iter().all(|name| !names.contains(name)),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn paths_that_are_not_there_look_as_clients_expect() {
    let room = Room::new(tutorial()).await;
    for path in [
        "/nope",
        "/version",
        "/admin/clients",
        "/oauth2/introspect",
        "/",
        "/health",
    ] {
        let answer = room.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(answer.header("allow"), None);
    }
    assert_eq!(
        room.public(Method::POST, "/health/alive").await.status,
        StatusCode::NOT_FOUND
    );
    let admin = room.admin(Method::GET, "/oauth2/token", Value::Null).await;
    assert_eq!(
        (admin.status, admin.text.as_str()),
        (StatusCode::NOT_FOUND, "404 page not found\n")
    );
    let allow = room.admin(Method::DELETE, "/clients", Value::Null).await;
    assert_eq!(allow.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(allow.header("allow"), Some("GET, HEAD, POST"));
}

#[tokio::test]
async fn a_read_is_never_cached_and_old_paths_work() {
    let room = Room::new(tutorial()).await;
    let nothing = Some("private, no-cache, no-store, must-revalidate");
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/jwks.json/",
        "/health/alive",
    ] {
        let answer = room.get(path).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (StatusCode::OK, nothing)
        );
        let head = room.public(Method::HEAD, path).await;
        assert_eq!(
            (head.status, head.header("cache-control")),
            (StatusCode::OK, None)
        );
    }
    for path in [
        "/version",
        "/admin/version",
        "/clients",
        "/admin/clients/",
        "/health/ready",
    ] {
        let answer = room.admin(Method::GET, path, Value::Null).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (StatusCode::OK, nothing)
        );
    }
}
