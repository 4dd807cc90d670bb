//! Proofs that a key is at hand (RFC 9449).

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{Method, Request};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_authserver::{AccessTokenStrategy, Dpop, Options, store};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, base64url, jws};
use carnet_testkit::FixedClock;
use serde_json::{Value, json};

use super::{assert_bound, token};
use crate::server::{Answer, Room, send, tutorial};

/// Noon of the clock of the tests.
fn now() -> i64 {
    let now = carnet_oauth::Clock::now(&FixedClock::default());
    let since = now
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    since.as_secs().try_into().unwrap()
}

pub(crate) struct Key(PrivateKey);

impl Key {
    pub(crate) fn new() -> Self {
        Self(PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "").unwrap())
    }

    pub(crate) fn thumbprint(&self) -> String {
        self.0.public_jwk().thumbprint()
    }

    /// A proof for the token endpoint, with other claims.
    pub(crate) fn proof(&self, claims: &Value) -> String {
        let mut jwk = self.0.public_jwk().to_object();
        jwk.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).to_string();
        let mut whole = json!({"htm": "POST", "iat": now(), "jti": "1",
            "htu": "http://hydra.docker.localhost/oauth2/token"});
        whole
            .as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        jws::sign_compact(&self.0, &header, whole.to_string().as_bytes()).unwrap()
    }
}

/// Asks for a token of a client's own, with the values of DPoP headers.
async fn ask(room: &Room, id: &str, proofs: &[&str]) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:traefiklabs")));
    let mut headers = vec![("authorization", basic.as_str())];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    room.post("/oauth2/token", &headers, "grant_type=client_credentials")
        .await
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json()["error"], error, "{}", answer.text);
}

/// Asks `/userinfo` about a token.
async fn info(room: &Room, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .method(Method::GET)
        .uri("/userinfo")
        .header("authorization", format!("{scheme} {token}"));
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
    send(room.server.public_router(), request).await
}

// Holds DP-01, DP-02.
#[tokio::test]
async fn a_token_is_bound_to_the_key_of_its_proof() {
    for strategy in [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..tutorial()
        });
        let room = room.await;
        let id = room.create(json!({})).await;
        let key = Key::new();
        let answer = ask(&room, &id, &[&key.proof(&json!({}))]).await;
        let token = token(&answer, "DPoP");
        assert_bound(&room, &token, json!({"jkt": key.thumbprint()})).await;
        assert_eq!(room.introspect(&token).await["token_type"], "DPoP");

        for (name, claims) in [
            ("another method", json!({"htm": "GET"})),
            (
                "another address",
                json!({"htu": "http://hydra.docker.localhost/userinfo"}),
            ),
            (
                "another server",
                json!({"htu": "http://evil.example/oauth2/token"}),
            ),
            ("too old", json!({"iat": now() - 61})),
            ("of the future", json!({"iat": now() + 11})),
            ("a nonce of nobody", json!({"nonce": "x", "jti": "2"})),
        ] {
            let answer = ask(&room, &id, &[&key.proof(&claims)]).await;
            let error = match name {
                "a nonce of nobody" => "use_dpop_nonce",
                _ => "invalid_dpop_proof",
            };
            refused(&answer, error);
        }
        let fresh = |n: u32| key.proof(&json!({"jti": format!("fresh {n}")}));
        refused(
            &ask(&room, &id, &[&fresh(1), &fresh(2)]).await,
            "invalid_dpop_proof",
        );
        assert_eq!(ask(&room, &id, &[&fresh(1)]).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_may_be_registered_for_bound_tokens_alone() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({"dpop_bound_access_tokens": true})).await;
    refused(&ask(&room, &id, &[]).await, "invalid_dpop_proof");
    let proof = Key::new().proof(&json!({}));
    token(&ask(&room, &id, &[&proof]).await, "DPoP");
}

// Holds DP-03.
#[tokio::test]
async fn a_proof_counts_once_at_all_servers_and_is_forgotten_after_its_time() {
    let store = store::open("memory").await.unwrap();
    let one = Room::over(tutorial(), Arc::clone(&store)).await;
    let two = Room::over(tutorial(), Arc::clone(&store)).await;
    let id = one.create(json!({})).await;
    let key = Key::new();
    let proofs: Vec<String> = (0..20)
        .map(|n| key.proof(&json!({"jti": format!("{n}")})))
        .collect();
    for proof in &proofs {
        let (id, proof) = (id.as_str(), proof.as_str());
        let rooms = [&one, &two, &one, &two];
        let tries = rooms.map(|room| async move { ask(room, id, &[proof]).await });
        let answers = futures_util::future::join_all(tries).await;
        let taken = answers.iter().filter(|answer| answer.status == 200);
        assert_eq!(taken.count(), 1);
    }
    // What failed to authenticate leaves nothing behind.
    let stranger = key.proof(&json!({"jti": "stranger"}));
    assert_eq!(ask(&one, "nobody", &[&stranger]).await.status, 401);
    assert_eq!(
        store.delete_expired_jtis(now() + 60, 1000).await.unwrap(),
        0
    );
    let kept = store.delete_expired_jtis(now() + 71, 1000).await.unwrap();
    assert_eq!(kept, 20);
}

#[tokio::test]
async fn a_proof_needs_a_nonce_where_the_server_wants_it() {
    let room = Room::new(Options {
        dpop: Dpop { needs_nonce: true },
        ..tutorial()
    });
    let room = room.await;
    let id = room.create(json!({})).await;
    let key = Key::new();
    let answer = ask(&room, &id, &[&key.proof(&json!({}))]).await;
    refused(&answer, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").unwrap().to_owned();
    let right = key.proof(&json!({"nonce": nonce, "jti": "2"}));
    let answer = ask(&room, &id, &[&right]).await;
    assert_eq!(answer.header("dpop-nonce"), Some(nonce.as_str()));
    let token = token(&answer, "DPoP");

    room.clock.advance(Duration::from_secs(241));
    let late = json!({"nonce": nonce, "jti": "3", "iat": now() + 241});
    let answer = ask(&room, &id, &[&key.proof(&late)]).await;
    refused(&answer, "use_dpop_nonce");
    assert_ne!(answer.header("dpop-nonce"), Some(nonce.as_str()));
    assert_eq!(ask(&room, &id, &[]).await.header("dpop-nonce"), None);

    let proof = key.proof(&json!({"htm": "GET", "jti": "4", "iat": now() + 241,
        "htu": "http://hydra.docker.localhost/userinfo",
        "ath": base64url::encode(digest(&SHA256, token.as_bytes()))}));
    let answer = info(&room, "DPoP", &token, Some(&proof)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("DPoP error=\"use_dpop_nonce\""),
        "{challenge}"
    );
    assert!(answer.header("dpop-nonce").is_some());
}

// Holds DP-01, DP-02.
#[tokio::test]
async fn a_bound_token_is_shown_with_a_proof_and_with_nothing_else() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let (key, other) = (Key::new(), Key::new());
    let bound = token(&ask(&room, &id, &[&key.proof(&json!({}))]).await, "DPoP");
    let free = token(&ask(&room, &id, &[]).await, "bearer");
    let proof = |key: &Key, of: &str, jti: &str| {
        key.proof(&json!({"htm": "GET", "jti": jti,
            "htu": "http://hydra.docker.localhost/userinfo",
            "ath": base64url::encode(digest(&SHA256, of.as_bytes()))}))
    };
    let used = proof(&key, &bound, "a");
    assert_eq!(info(&room, "DPoP", &bound, Some(&used)).await.status, 200);
    for (scheme, token, proof, error) in [
        ("Bearer", &bound, None, "invalid_token"),
        (
            "Bearer",
            &bound,
            Some(proof(&key, &bound, "b")),
            "invalid_token",
        ),
        ("DPoP", &bound, None, "invalid_token"),
        (
            "DPoP",
            &bound,
            Some(proof(&other, &bound, "c")),
            "invalid_token",
        ),
        (
            "DPoP",
            &bound,
            Some(proof(&key, &free, "d")),
            "invalid_dpop_proof",
        ),
        ("DPoP", &bound, Some(used.clone()), "invalid_dpop_proof"),
        (
            "DPoP",
            &free,
            Some(proof(&key, &free, "e")),
            "invalid_token",
        ),
    ] {
        let answer = info(&room, scheme, token, proof.as_deref()).await;
        assert_eq!(answer.status, 401, "{scheme} {}", answer.text);
        assert_eq!(answer.json()["error"], error, "{scheme}");
        assert!(answer.header("www-authenticate").unwrap().contains("DPoP "));
    }
    let form = format!("access_token={bound}");
    assert_eq!(room.post("/userinfo", &[], &form).await.status, 401);
    assert_eq!(info(&room, "Bearer", &free, None).await.status, 200);
}
