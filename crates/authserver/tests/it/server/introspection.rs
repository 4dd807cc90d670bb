//! Introspection: what counts and what does not.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, Options};
use carnet_jose::{PrivateKey, jws};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

fn inactive() -> Value {
    json!({"active": false})
}

#[tokio::test]
async fn an_active_token_says_the_same_whether_opaque_or_signed() {
    for strategy in [AccessTokenStrategy::Opaque, AccessTokenStrategy::Jwt] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        })
        .await;
        let id = room.create(json!({"scope": "read"})).await;
        let form = "&audience=https://traefik.io&scope=read";
        let answer = room.basic(&id, "traefiklabs", form).await.json();
        let token = answer["access_token"].as_str().unwrap();
        let path = "/admin/oauth2/introspect";
        let told = room.post_admin(path, &format!("token={token}")).await;
        assert_eq!(told.header("cache-control"), None);
        assert_eq!(
            told.text,
            format!(
                "{{\"active\":true,\"scope\":\"read\",\"client_id\":\"{id}\",\"sub\":\"{id}\",\
                 \"exp\":1795698000,\"iat\":1795694400,\"nbf\":1795694400,\
                 \"aud\":[\"https://traefik.io\"],\"iss\":\"http://hydra.hydra.svc:4444\",\
                 \"token_type\":\"Bearer\",\"token_use\":\"access_token\"}}\n"
            )
        );
        let with = async |more: &str| room.post_admin(path, &format!("token={token}{more}")).await;
        assert_eq!(with("&scope=read").await.text, told.text);
        assert_eq!(with("&token_type_hint=refresh_token").await.text, told.text);
        let without = with("&scope=write").await;
        assert_eq!(
            (without.json(), without.header("cache-control")),
            (inactive(), Some("no-store"))
        );
    }
}

// Holds IN-02, IN-03.
#[tokio::test]
async fn a_token_out_of_time_or_of_another_server_says_nothing() {
    for strategy in [AccessTokenStrategy::Opaque, AccessTokenStrategy::Jwt] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        })
        .await;
        let id = room.create(json!({})).await;
        let token = room.token(&id).await;
        let other = Room::new(Options {
            access_token_strategy: strategy,
            issuer: "http://other.example".to_owned(),
            system_secrets: vec!["another-system-secret".into()],
            ..tutorial()
        })
        .await;
        assert_eq!(room.introspect(&token).await["active"], true);
        assert_eq!(other.introspect(&token).await, inactive());
        for garbage in [
            "",
            "garbage",
            "ory_at_x.y",
            "a.b.c",
            &format!("{token}x"),
            &token[1..],
        ] {
            assert_eq!(room.introspect(garbage).await, inactive(), "{garbage}");
        }
        room.clock.advance(Duration::from_secs(3599));
        assert_eq!(room.introspect(&token).await["active"], true);
        room.clock.advance(Duration::from_secs(1));
        assert_eq!(room.introspect(&token).await, inactive());
        // The clock of the server that issued it may be ahead by a minute, not more.
        room.clock.turn_back(Duration::from_secs(3660));
        assert_eq!(room.introspect(&token).await["active"], true);
        room.clock.turn_back(Duration::from_secs(1));
        assert_eq!(room.introspect(&token).await, inactive());
    }
}

/// A key of the set that signs access tokens, as an administrator sees it.
async fn signing_key(room: &Room) -> PrivateKey {
    let made = room
        .admin(
            Method::POST,
            "/admin/keys/hydra.jwt.access-token",
            json!({"alg": "ES256", "kid": "ours"}),
        )
        .await
        .json();
    PrivateKey::from_object(made["keys"][0].as_object().unwrap()).unwrap()
}

/// What introspection says of a JWT that our key signed: one of ours, with these changes.
async fn changed(room: &Room, key: &PrivateKey, header: &Value, claims: &Value) -> Value {
    let id = room.create(json!({})).await;
    let ours = jws::decode_unverified(&room.token(&id).await).unwrap();
    let mut parts = [
        Value::Object(ours.header),
        serde_json::from_slice(&ours.payload).unwrap(),
    ];
    for (part, changes) in parts.iter_mut().zip([header, claims]) {
        let members = part.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| *value != "absent");
    }
    let [header, claims] = parts.map(|part| part.to_string());
    let token = jws::sign_compact(key, &header, claims.as_bytes()).unwrap();
    room.introspect(&token).await
}

// Holds JW-07, JW-08, IN-03.
#[tokio::test]
async fn what_our_key_signed_counts_only_with_our_claims() {
    let room = Room::new(tutorial()).await;
    let key = signing_key(&room).await;
    let issuer = "http://hydra.hydra.svc:4444";
    let said = changed(&room, &key, &json!({}), &json!({})).await;
    assert_eq!(said["active"], true);
    for claims in [
        json!({"iss": "absent"}),
        json!({"iss": null}),
        json!({"iss": ""}),
        json!({"iss": [issuer]}),
        json!({"iss": {"x": issuer}}),
        json!({"iss": format!("{issuer}/")}),
        json!({"iss": &issuer[1..]}),
        json!({"iss": &issuer[..issuer.len() - 1]}),
        json!({"iss": format!("{issuer}.evil.example")}),
        json!({"iss": issuer.to_uppercase()}),
        json!({"exp": "absent"}),
        json!({"exp": "99999999999"}),
        json!({"exp": null}),
        json!({"exp": [99_999_999_999_u64]}),
        json!({"exp": 0}),
        json!({"exp": -1}),
        json!({"nbf": "0"}),
        json!({"nbf": 99_999_999_999_u64}),
        json!({"iat": "absent"}),
        json!({"iat": "0"}),
        json!({"jti": "absent"}),
        json!({"jti": 7}),
        json!({"client_id": "absent"}),
    ] {
        let said = changed(&room, &key, &json!({}), &claims).await;
        assert_eq!(said, inactive(), "{claims}");
    }
}

// Holds JW-10, JW-01.
#[tokio::test]
async fn what_our_key_signed_counts_only_as_the_kind_that_it_is() {
    let room = Room::new(tutorial()).await;
    let key = signing_key(&room).await;
    for (header, expected) in [
        (json!({"typ": "JWT"}), true),
        (json!({"typ": "at+jwt"}), true),
        (json!({"typ": "application/at+JWT"}), true),
        (json!({"typ": "absent"}), true),
        (json!({"typ": "dpop+jwt"}), false),
        (json!({"typ": "client-authentication+jwt"}), false),
        (json!({"typ": "logout+jwt"}), false),
        (json!({"typ": ["JWT"]}), false),
        (json!({"typ": null}), false),
        (json!({"alg": "none"}), false),
        (json!({"alg": "HS256"}), false),
        (json!({"alg": "RS256"}), false),
        (json!({"kid": "another"}), false),
    ] {
        let said = changed(&room, &key, &header, &json!({})).await;
        assert_eq!(said["active"], expected, "{header}");
    }
}

#[tokio::test]
async fn a_token_of_an_older_key_counts_until_the_key_goes() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let set = "/admin/keys/hydra.jwt.access-token";
    let mut tokens = vec![room.token(&id).await];
    for alg in ["ES256", "EdDSA", "PS256"] {
        let made = room
            .admin(Method::POST, set, json!({"alg": alg, "kid": alg}))
            .await;
        assert_eq!(made.status, StatusCode::CREATED);
        tokens.push(room.token(&id).await);
    }
    for token in &tokens {
        assert_eq!(room.introspect(token).await["active"], true);
    }
    room.admin(Method::DELETE, &format!("{set}/ES256"), Value::Null)
        .await;
    assert_eq!(room.introspect(&tokens[1]).await, inactive());
    assert_eq!(room.introspect(&tokens[0]).await["active"], true);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_an_invalid_request() {
    let room = Room::new(tutorial()).await;
    let empty = room.post_admin("/oauth2/introspect", "").await;
    let json = room
        .admin(Method::POST, "/oauth2/introspect", json!({"token": "x"}))
        .await;
    for answer in [empty, json] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

// Holds IN-01, OP-08.
#[tokio::test]
async fn only_the_admin_port_introspects_and_only_what_is_posted() {
    let room = Room::new(tutorial()).await;
    let token = room.token(&room.create(json!({})).await).await;
    for path in ["/oauth2/introspect", "/admin/oauth2/introspect"] {
        let public = room.post(path, &[], &format!("token={token}")).await;
        assert_eq!(public.status, StatusCode::NOT_FOUND, "{path}");
        let got = room.get_admin(&format!("{path}?token={token}")).await;
        assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(!got.text.contains("active"));
        let posted = room.post_admin(path, &format!("token={token}")).await;
        assert_eq!(posted.json()["active"], true);
    }
    let in_query = format!("/oauth2/introspect?token={token}");
    let in_query = room.post_admin(&in_query, "").await;
    assert_eq!(in_query.status, StatusCode::BAD_REQUEST);
}
