//! JWTs of issuers that the administrator trusts, exchanged.

use axum::http::{Method, StatusCode};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use serde_json::{Value, json};

use super::{ACCESS_TOKEN, GRANT, JWT, NOW, ask, orders, refused, text};
use crate::server::{Answer, Room, tutorial};

/// An issuer that is trusted, and its key.
struct Trusted(PrivateKey);

impl Trusted {
    async fn by(room: &Room) -> Self {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "ext-1").unwrap();
        let issuer = json!({"issuer": "https://issuer.example", "allow_any_subject": true,
            "scope": ["read"], "jwk": key.public_jwk().to_object(),
            "expires_at": "2100-01-01T00:00:00Z"});
        let path = "/admin/trust/grants/jwt-bearer/issuers";
        let answer = room.admin(Method::POST, path, issuer).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let named = json!({"scope": "read write", "may_act_for": ["https://issuer.example"]});
        orders(room, named).await;
        Self(key)
    }

    fn made(&self, changes: &Value) -> String {
        let mut claims = json!({"iss": "https://issuer.example", "sub": "svc@example",
            "aud": "http://hydra.hydra.svc:4444", "iat": NOW, "exp": NOW + 60});
        let members = changes.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(members);
        let header = r#"{"alg":"ES256","kid":"ext-1"}"#;
        jws::sign_compact(&self.0, header, claims.to_string().as_bytes()).unwrap()
    }
}

async fn as_jwt(room: &Room, client: &str, token: &str, more: &str) -> Answer {
    let form = format!("&subject_token={token}&subject_token_type={JWT}{more}");
    ask(room, client, &form).await
}

// Holds TX-01.
#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_is_a_subject_where_the_client_may_act_for_the_issuer() {
    let room = Room::new(tutorial()).await;
    let trusted = Trusted::by(&room).await;
    let subject = trusted.made(&json!({"act": {"sub": "earlier"}}));
    // It counts until its end: no `jti` is used up.
    for _ in 0..2 {
        let answer = as_jwt(&room, "orders", &subject, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let told = answer.json();
        assert_eq!(told["scope"], "read");
        assert_eq!(told["expires_in"], 60);
        let said = room.introspect(&text(&told, "access_token")).await;
        assert_eq!(said["sub"], "svc@example");
        let chain = json!({"act": {"sub": "earlier"}, "sub": "orders"});
        assert_eq!(said["act"], chain);
    }
    // Of a trusted issuer, but no access token of ours.
    let form = format!("&subject_token={subject}&subject_token_type={ACCESS_TOKEN}");
    let answer = ask(&room, "orders", &form).await;
    refused(&answer, "invalid_request", "not ours");
}

// Holds TX-01.
#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_is_refused_for_what_it_says() {
    let room = Room::new(tutorial()).await;
    let trusted = Trusted::by(&room).await;
    let other = json!({"client_id": "other", "grant_types": [GRANT], "may_act_for": ["x"]});
    room.create(other).await;
    for (what, changes, more, error) in [
        ("ended", json!({"exp": NOW - 1}), "", "invalid_request"),
        ("for another", json!({"aud": "x"}), "", "invalid_request"),
        ("of another", json!({"iss": "x"}), "", "invalid_request"),
        ("a client", json!({"sub": "orders"}), "", "invalid_request"),
        ("bound", json!({"cnf": {"jkt": "x"}}), "", "invalid_request"),
        (
            "of y",
            json!({"may_act": {"sub": "y"}}),
            "",
            "invalid_request",
        ),
        ("distrusted", json!({}), "&scope=write", "invalid_scope"),
        (
            "less",
            json!({"scope": "x"}),
            "&scope=read",
            "invalid_scope",
        ),
    ] {
        let token = trusted.made(&changes);
        let answer = as_jwt(&room, "orders", &token, more).await;
        refused(&answer, error, what);
    }
    let answer = as_jwt(&room, "other", &trusted.made(&json!({})), "").await;
    refused(&answer, "invalid_request", "another client");
}
