//! The token endpoint.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use carnet_authserver::{Options, TokenProfile};
use carnet_jose::{Algorithm, JwkSet, jws, jwt};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

/// Noon of the fixed clock.
const NOON: i64 = 1_795_694_400;

// Holds TE-22, TE-26.
#[tokio::test]
async fn a_signed_token_is_the_one_of_the_tutorial() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let answer = room
        .basic(&id, "traefiklabs", "&audience=https://traefik.io")
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/json;charset=UTF-8")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        answer.text,
        format!(
            r#"{{"access_token":"{token}","expires_in":3600,"scope":"","token_type":"bearer"}}"#
        )
    );

    let decoded = jws::decode_unverified(token).unwrap();
    let header = Value::Object(decoded.header);
    let kid = header["kid"].as_str().unwrap();
    assert_eq!(
        header.to_string(),
        format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#)
    );
    let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
    let jti = claims["jti"].as_str().unwrap();
    let exp = NOON + 3600;
    assert_eq!(
        String::from_utf8(decoded.payload).unwrap(),
        format!(
            r#"{{"aud":["https://traefik.io"],"client_id":"{id}","exp":{exp},"ext":{{}},"iat":{NOON},"iss":"http://hydra.hydra.svc:4444","jti":"{jti}","nbf":{NOON},"scp":[],"sub":"{id}"}}"#
        )
    );
    for uuid in [kid, jti, &id] {
        assert_eq!(uuid.len(), 36, "{uuid}");
    }

    let jwks = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
    assert_eq!(keys.keys().len(), 2, "{}", jwks.text);
    assert!(jwt::verify(token, &keys).is_ok());
}

#[tokio::test]
async fn an_opaque_token_is_the_default_and_a_client_may_have_the_other_kind() {
    let options = carnet_authserver::Options {
        access_token_strategy: Default::default(),
        ..tutorial()
    };
    let room = Room::new(options).await;
    let opaque = room.token(&room.create(json!({})).await).await;
    assert!(opaque.starts_with("ory_at_"), "{opaque}");
    let id = room.create(json!({"access_token_strategy": "jwt"})).await;
    assert_eq!(room.token(&id).await.split('.').count(), 3);
}

#[tokio::test]
async fn the_process_is_alive_before_its_keys_are_made() {
    let room = Room::new(tutorial()).await;
    let alive = room.get("/health/alive").await;
    assert_eq!(
        (alive.status, alive.text.as_str()),
        (StatusCode::OK, "{\"status\":\"ok\"}\n")
    );
    room.get("/.well-known/jwks.json").await;
    for path in ["/health/ready", "/admin/health/ready"] {
        let ready = room.admin(Method::GET, path, Value::Null).await;
        assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
    }
}

const GRANT: &str = "grant_type=client_credentials";

async fn register(room: &Room, changes: Value) -> String {
    let mut client = json!({"token_endpoint_auth_method": "client_secret_post"});
    let changes = changes.as_object().unwrap().clone();
    client.as_object_mut().unwrap().extend(changes);
    room.create(client).await
}

/// Asks for a token with the credentials in the body; without a secret when there is none.
async fn ask(room: &Room, id: &str, secret: &str, form: &str) -> (StatusCode, Value) {
    let form = format!("client_id={id}&client_secret={secret}&{form}");
    let answer = room.post("/oauth2/token", &[], &form).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.status, answer.json())
}

// Holds TE-05, TE-08, TE-20, TE-21, TE-23, TE-28, BC-03.
#[tokio::test]
async fn refusals_have_the_codes_that_scripts_know() {
    let room = Room::new(tutorial()).await;
    let id = register(&room, json!({"scope": "read photos.*"})).await;
    let many: String = (0..100).map(|at| format!("&p{at}=1")).collect();
    for (form, expected) in [
        (String::new(), "invalid_request"),
        ("grant_type=".to_owned(), "invalid_request"),
        ("grant_type=foo".to_owned(), "unsupported_grant_type"),
        ("grant_type=password".to_owned(), "unsupported_grant_type"),
        (
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x".to_owned(),
            "unauthorized_client",
        ),
        (
            "grant_type=Client_Credentials".to_owned(),
            "unsupported_grant_type",
        ),
        (format!("{GRANT}+refresh_token"), "invalid_request"),
        (format!("{GRANT}&{GRANT}"), "invalid_request"),
        (format!("{GRANT}&scope=read&scope=read"), "invalid_request"),
        (format!("{GRANT}{many}"), "invalid_request"),
        (format!("{GRANT}&scope=admin"), "invalid_scope"),
        (format!("{GRANT}&scope=read+admin"), "invalid_scope"),
        (format!("{GRANT}&scope=photos"), "invalid_scope"),
        (format!("{GRANT}&scope=photos.%22"), "invalid_scope"),
        (
            format!("{GRANT}&audience=https://evil.example"),
            "invalid_request",
        ),
    ] {
        let (status, body) = ask(&room, &id, "traefiklabs", &form).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!(expected)),
            "{form}"
        );
    }
}

// Holds TE-18, TE-19.
#[tokio::test]
async fn a_client_needs_a_secret_and_the_grant() {
    let room = Room::new(tutorial()).await;
    let code = register(&room, json!({"grant_types": ["authorization_code"]})).await;
    let public = register(&room, json!({"token_endpoint_auth_method": "none"})).await;
    for (id, secret, expected) in [
        (code, "traefiklabs", "unauthorized_client"),
        (public, "", "invalid_grant"),
    ] {
        let (status, body) = ask(&room, &id, secret, GRANT).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!(expected))
        );
    }
}

// Holds TE-04, TE-06, TE-20, TE-21.
#[tokio::test]
async fn what_is_asked_for_is_granted_once() {
    let room = Room::new(tutorial()).await;
    let id = register(&room, json!({"scope": "read photos.*"})).await;
    for (form, scope) in [
        ("&foo=bar&scope=", ""),
        ("&scope=read+read", "read"),
        ("&scope=photos.read++read", "photos.read read"),
        (
            "&audience=https://traefik.io/x&audience=https://traefik.io",
            "",
        ),
    ] {
        let (status, body) = ask(&room, &id, "traefiklabs", &format!("{GRANT}{form}")).await;
        assert_eq!(
            (status, &body["scope"]),
            (StatusCode::OK, &json!(scope)),
            "{form}"
        );
    }
}

// Holds TE-24.
#[tokio::test]
async fn nothing_that_was_sent_comes_back_as_markup() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    for name in [
        "scope",
        "audience",
        "resource",
        "grant_type",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
    ] {
        for value in ["%3Cscript%3E", "a%0D%0AX-Evil:+1", "%00"] {
            let form = format!("{name}={value}");
            let grant = if name == "grant_type" {
                ""
            } else {
                "&grant_type=client_credentials"
            };
            let answer = room.basic_form(&id, &format!("{form}{grant}")).await;
            assert!(answer.status.is_client_error(), "{form}");
            assert!(
                !answer.text.contains(['<', '>', '\r', '\n', '\0']),
                "{}",
                answer.text
            );
            assert_eq!(answer.header("x-evil"), None);
        }
    }
}

// Holds TE-01.
#[tokio::test]
async fn other_methods_get_no_token() {
    let room = Room::new(tutorial()).await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = room.public(method.clone(), "/oauth2/token").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header("allow"), Some("OPTIONS, POST"));
    }
}

// Holds TE-28.
#[tokio::test]
async fn a_long_body_is_refused_before_anything_is_hashed() {
    let room = Room::new(tutorial()).await;
    let form = format!("grant_type=client_credentials&x={}", "a".repeat(65 * 1024));
    let answer = room.post("/oauth2/token", &[], &form).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn a_lifetime_of_its_own_is_the_clients() {
    let room = Room::new(tutorial()).await;
    for (lifespan, expected) in [("10m", 600), ("0s", 0), ("-5s", -5), ("1.5s", 1)] {
        let changes = json!({"client_credentials_grant_access_token_lifespan": lifespan});
        let id = room.create(changes).await;
        let answer = room.basic(&id, "traefiklabs", "").await;
        assert_eq!(answer.json()["expires_in"], expected, "{lifespan}");
    }
}

#[tokio::test]
async fn every_registered_scope_is_granted_where_the_settings_say_so() {
    let options = carnet_authserver::Options {
        default_grant_allowed_scope: true,
        scope_strategy: carnet_authserver::ScopeStrategy::Exact,
        ..tutorial()
    };
    let room = Room::new(options).await;
    let id = room.create(json!({"scope": "read photos.*"})).await;
    for (form, status, scope) in [
        ("", StatusCode::OK, json!("read photos.*")),
        ("&scope=read", StatusCode::OK, json!("read")),
        ("&scope=photos.read", StatusCode::BAD_REQUEST, Value::Null),
    ] {
        let answer = room.basic(&id, "traefiklabs", form).await;
        assert_eq!(
            (answer.status, &answer.json()["scope"]),
            (status, &scope),
            "{form}"
        );
    }
}

fn decoded(token: &str) -> (Value, Value) {
    let decoded = jws::decode_unverified(token).unwrap();
    let claims = serde_json::from_slice(&decoded.payload).unwrap();
    (Value::Object(decoded.header), claims)
}

// Holds RI-01, RI-02.
#[tokio::test]
async fn a_resource_is_an_audience_by_another_name_and_checked_as_a_uri() {
    let room = Room::new(tutorial()).await;
    let id = room
        .create(json!({"audience": ["https://a.example", "https://b.example", "bare", "urn:x:y"]}))
        .await;
    let ask = async |form: &str| room.basic(&id, "traefiklabs", form).await;
    for (form, expected) in [
        ("&resource=https://a.example", json!(["https://a.example"])),
        (
            "&resource=https://a.example/v1",
            json!(["https://a.example/v1"]),
        ),
        ("&resource=urn:x:y", json!(["urn:x:y"])),
        (
            "&resource=https://a.example&resource=https://b.example",
            json!(["https://a.example", "https://b.example"]),
        ),
        (
            "&audience=https://b.example&resource=https://a.example&resource=https://b.example",
            json!(["https://b.example", "https://a.example"]),
        ),
        ("&resource=", json!([])),
    ] {
        let answer = ask(form).await;
        assert_eq!(answer.status, StatusCode::OK, "{form} {}", answer.text);
        let (_, claims) = decoded(answer.json()["access_token"].as_str().unwrap());
        assert_eq!(claims["aud"], expected, "{form}");
    }
    for form in [
        "&resource=bare",
        "&resource=/relative",
        "&resource=https://a.example%23x",
        "&resource=https://c.example",
        "&resource=https://a.example&resource=https://c.example",
        "&resource=urn:x:z",
    ] {
        let answer = ask(form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        assert_eq!(answer.json()["error"], "invalid_target", "{form}");
    }
}

// Holds JW-15.
#[tokio::test]
async fn a_token_of_rfc_9068_has_its_type_and_its_claims() {
    let room = Room::new(Options {
        token_profile: TokenProfile::Rfc9068,
        ..tutorial()
    })
    .await;
    let id = room.create(json!({"scope": "read write"})).await;
    let answer = room.basic(&id, "traefiklabs", "&scope=read+write").await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let (header, claims) = decoded(&token);
    assert_eq!(header["typ"], "at+jwt");
    let names: Vec<&str> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "aud",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "nbf",
            "scope",
            "sub"
        ]
    );
    assert_eq!(claims["scope"], "read write");
    assert_eq!(claims["aud"], json!(["http://hydra.hydra.svc:4444"]));
    let introspected = room.introspect(&token).await;
    assert_eq!(introspected["active"], true);
    assert_eq!(introspected["scope"], "read write");
    let (_, claims) = decoded(&room.token(&id).await);
    assert_eq!(claims["aud"], json!(["https://traefik.io"]));
    assert_eq!(claims.get("scope"), None);
}

// Holds JW-15.
#[tokio::test]
async fn a_thousand_tokens_have_a_thousand_ids() {
    let room = Room::new(Options {
        algorithm: Algorithm::EdDsa,
        ..tutorial()
    })
    .await;
    let id = room.create(json!({})).await;
    let mut ids = BTreeSet::new();
    for _ in 0..1000 {
        let (_, claims) = decoded(&room.token(&id).await);
        ids.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1000);
}
