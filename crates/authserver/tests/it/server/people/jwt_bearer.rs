//! Assertions of issuers that are trusted (RFC 7523).

use axum::http::{Method, StatusCode};
use carnet_authserver::{JwtGrant, Options};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use serde_json::{Value, json};

use super::{options, refused};
use crate::server::{Answer, Room};

const ISSUERS: &str = "/admin/trust/grants/jwt-bearer/issuers";

struct Issuer {
    key: PrivateKey,
}

impl Issuer {
    fn new() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "ext-1").unwrap();
        Self { key }
    }

    fn described(&self) -> Value {
        json!({
            "issuer": "https://issuer.example",
            "subject": "svc@example",
            "scope": ["read"],
            "jwk": self.key.public_jwk().to_object(),
            "expires_at": "2100-01-01T00:00:00Z",
        })
    }

    /// An assertion without the claims that are null.
    fn without(&self, room: &Room, changes: &Value) -> String {
        let mut claims = Self::claims(room, changes);
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        self.signed(&claims)
    }

    /// An assertion with some claims of its own.
    fn assertion(&self, room: &Room, changes: &Value) -> String {
        self.signed(&Self::claims(room, changes))
    }

    fn signed(&self, claims: &Value) -> String {
        let header = r#"{"alg":"ES256","kid":"ext-1"}"#;
        jws::sign_compact(&self.key, header, claims.to_string().as_bytes()).unwrap()
    }

    fn claims(room: &Room, changes: &Value) -> Value {
        let now = carnet_oauth::Clock::now(&*room.clock);
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": "https://issuer.example",
            "sub": "svc@example",
            "aud": "http://hydra.docker.localhost/oauth2/token",
            "iat": now,
            "exp": now + 60,
            "jti": format!("{changes}"),
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = match value.as_i64() {
                Some(later) => json!(i64::try_from(now).unwrap() + later),
                None => value.clone(),
            };
        }
        claims
    }
}

async fn client(room: &Room) -> String {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    room.create(json!({"grant_types": [grant], "scope": "read write"}))
        .await
}

async fn ask(room: &Room, id: &str, assertion: &str, more: &str) -> Answer {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = format!("grant_type={grant}&assertion={assertion}{more}");
    room.basic_form(id, &form).await
}

#[tokio::test]
async fn an_assertion_of_a_trusted_issuer_gives_a_token_once() {
    for strategy in ["jwt", "opaque"] {
        let room = Room::new(options()).await;
        let issuer = Issuer::new();
        let answer = room.admin(Method::POST, ISSUERS, issuer.described()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let id = client(&room).await;
        let path = format!("/admin/clients/{id}");
        let patch = json!([{"op": "add", "path": "/access_token_strategy", "value": strategy}]);
        room.admin(Method::PATCH, &path, patch).await;
        let assertion = issuer.assertion(&room, &json!({}));
        let answer = ask(&room, &id, &assertion, "&scope=read").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let told = room.introspect(&token).await;
        assert_eq!(
            (&told["sub"], &told["client_id"]),
            (&json!("svc@example"), &json!(id))
        );
        assert_eq!((&told["scope"], &told["aud"]), (&json!("read"), &json!([])));
        refused(
            &ask(&room, &id, &assertion, "&scope=read").await,
            "jti_known",
        );
    }
}

#[tokio::test]
async fn what_an_assertion_must_say() {
    let room = Room::new(options()).await;
    let issuer = Issuer::new();
    room.admin(Method::POST, ISSUERS, issuer.described()).await;
    let id = client(&room).await;
    let machine = room.create(json!({"client_id": "machine"})).await;
    for changes in [
        json!({"iss": "https://other.example"}),
        json!({"sub": "x"}),
        json!({"sub": ""}),
        json!({"aud": "https://x.example"}),
        json!({"aud": null}),
        json!({"exp": -10}),
        json!({"exp": null}),
        json!({"exp": 30 * 24 * 3600 + 1}),
        json!({"iat": null}),
        json!({"iat": 60, "exp": 120}),
        json!({"nbf": 60}),
        json!({"jti": ""}),
        json!({"jti": null}),
    ] {
        let assertion = issuer.assertion(&room, &changes);
        refused(&ask(&room, &id, &assertion, "").await, "invalid_grant");
    }
    let foreign = Issuer::new().assertion(&room, &json!({}));
    for assertion in [foreign.as_str(), "x", ""] {
        refused(&ask(&room, &id, assertion, "").await, "invalid_grant");
    }
    let good = issuer.assertion(&room, &json!({}));
    refused(
        &ask(&room, &id, &good, "&scope=write").await,
        "invalid_scope",
    );
    refused(
        &ask(&room, &machine, &good, "").await,
        "unauthorized_client",
    );

    // Nobody is called like a client.
    let mut any = issuer.described();
    any["subject"] = Value::Null;
    any["allow_any_subject"] = json!(true);
    let answer = room.admin(Method::POST, ISSUERS, any).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let assertion = issuer.assertion(&room, &json!({"sub": machine}));
    refused(&ask(&room, &id, &assertion, "").await, "invalid_grant");
}

#[tokio::test]
async fn issuers_are_trusted_listed_and_distrusted() {
    let room = Room::new(options()).await;
    let issuer = Issuer::new();
    let made = room
        .admin(Method::POST, ISSUERS, issuer.described())
        .await
        .json();
    let again = room.admin(Method::POST, ISSUERS, issuer.described()).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let listed = room.get_admin(ISSUERS).await;
    assert_eq!(listed.json(), json!([made]));
    assert!(
        listed
            .header("link")
            .unwrap()
            .contains("page_size=100&page_token=")
    );
    let other = room.get_admin(&format!("{ISSUERS}?issuer=x")).await;
    assert_eq!(other.json(), json!([]));
    let path = format!("{ISSUERS}/{}", made["id"].as_str().unwrap());
    assert_eq!(room.get_admin(&path).await.json(), made);
    assert_eq!(
        room.get_admin(&format!("{ISSUERS}/x")).await.status,
        StatusCode::BAD_REQUEST
    );
    let absent = format!("{ISSUERS}/00000000-0000-4000-8000-000000000000");
    assert_eq!(room.get_admin(&absent).await.status, StatusCode::NOT_FOUND);
    let gone = room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let id = client(&room).await;
    let assertion = issuer.assertion(&room, &json!({}));
    refused(&ask(&room, &id, &assertion, "").await, "invalid_grant");
}

#[tokio::test]
async fn what_an_issuer_must_have_and_may_not_be() {
    let room = Room::new(options()).await;
    let issuer = Issuer::new();
    for (member, value, error) in [
        ("issuer", Value::Null, "missing_required_parameter"),
        ("subject", Value::Null, "missing_required_parameter"),
        ("jwk", Value::Null, "missing_required_parameter"),
        ("expires_at", Value::Null, "missing_required_parameter"),
        ("allow_any_subject", json!(true), "malformed"),
        ("expires_at", json!("soon"), "malformed"),
        // Its key would sign access tokens of our own.
        ("issuer", json!("hydra.jwt.access-token"), "malformed"),
        (
            "jwk",
            json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k"}),
            "malformed",
        ),
    ] {
        let mut described = issuer.described();
        described[member] = value;
        let answer = room.admin(Method::POST, ISSUERS, described).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{member}: {}",
            answer.text
        );
        let found = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(found.contains(error), "{member}: {found}");
    }
}

#[tokio::test]
async fn what_an_assertion_need_not_say_where_the_operator_says_so() {
    use std::time::Duration;

    let room = Room::new(Options {
        jwt_grant: JwtGrant {
            jti_optional: true,
            iat_optional: true,
            max_ttl: Duration::from_secs(90),
            ..JwtGrant::default()
        },
        ..options()
    })
    .await;
    let issuer = Issuer::new();
    room.admin(Method::POST, ISSUERS, issuer.described()).await;
    let id = client(&room).await;
    for changes in [json!({"jti": null}), json!({"iat": null})] {
        let mut assertion = issuer.without(&room, &changes);
        let answer = ask(&room, &id, &assertion, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{changes} {}", answer.text);
        assertion = issuer.without(&room, &changes);
        let again = ask(&room, &id, &assertion, "").await;
        let counts_once = changes.get("jti").is_none();
        assert_eq!(again.status == StatusCode::OK, !counts_once, "{changes}");
    }
    let long = issuer.assertion(&room, &json!({"exp": 91}));
    refused(&ask(&room, &id, &long, "").await, "invalid_grant");
    let odd = issuer.assertion(&room, &json!({"iat": "yesterday"}));
    refused(&ask(&room, &id, &odd, "").await, "invalid_grant");
}

#[tokio::test]
async fn a_token_is_for_whom_the_assertion_is_for_where_the_operator_says_so() {
    let room = Room::new(Options {
        jwt_grant: JwtGrant {
            omit_assertion_audience: false,
            ..JwtGrant::default()
        },
        ..options()
    })
    .await;
    let issuer = Issuer::new();
    room.admin(Method::POST, ISSUERS, issuer.described()).await;
    let id = client(&room).await;
    let endpoint = "http://hydra.docker.localhost/oauth2/token";
    for (told, more, expected) in [
        (json!(endpoint), "", json!([endpoint])),
        (
            json!(["https://x.example", endpoint]),
            "&audience=https%3A%2F%2Ftraefik.io",
            json!(["https://x.example", endpoint, "https://traefik.io"]),
        ),
    ] {
        let changes = json!({"aud": told, "jti": told.to_string()});
        let answer = ask(&room, &id, &issuer.assertion(&room, &changes), more).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(room.introspect(&token).await["aud"], expected);
    }
}
