//! Signatures that a quantum computer does not forge (RFC 9964), beside those that everybody can
//! verify.

use axum::http::{Method, StatusCode};
use carnet_authserver::{Algorithm, Options};
use carnet_jose::{JwkSet, jws};
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

const SET: &str = "/admin/keys/hydra.jwt.access-token";

/// By which algorithm a token is signed, as its verifiers see it.
async fn verified(room: &Room, token: &str) -> String {
    let document = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(document.text.as_bytes()).unwrap();
    let verified = jws::verify(token, &keys).unwrap();
    assert_eq!(verified.header["alg"], verified.algorithm.name());
    assert_eq!(room.introspect(token).await["active"], true);
    verified.algorithm.name().to_owned()
}

#[tokio::test]
async fn a_set_moves_from_one_kind_of_key_to_another_and_back() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let first = room.token(&id).await;
    assert_eq!(verified(&room, &first).await, "RS256");
    let mut tokens = vec![(first, "RS256")];
    for alg in ["ML-DSA-44", "ES256", "ML-DSA-65"] {
        let answer = room.admin(Method::POST, SET, json!({"alg": alg})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.json()["keys"][0]["alg"], alg);
        tokens.push((room.token(&id).await, alg));
        // What was signed before counts until its end.
        for (token, alg) in &tokens {
            assert_eq!(verified(&room, token).await, *alg);
        }
    }
    let document = room.get("/.well-known/jwks.json").await.json();
    let kinds = document["keys"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|key| key["kty"].as_str().unwrap()).collect();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "AKP").count(),
        2,
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_server_begins_with_the_kind_that_it_is_told_and_finds_its_key_again() {
    let options = Options {
        algorithm: Algorithm::MlDsa65,
        ..tutorial()
    };
    let room = Room::new(options.clone()).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    assert_eq!(verified(&room, &token).await, "ML-DSA-65");
    // The key was sealed in the store, and is opened again.
    let again = Room::over(options, room.store.clone()).await;
    assert_eq!(verified(&again, &token).await, "ML-DSA-65");
}

#[tokio::test]
async fn a_key_from_elsewhere_is_imported_with_its_seed() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let elsewhere = "/admin/keys/elsewhere";
    let made = room
        .admin(Method::POST, elsewhere, json!({"alg": "ML-DSA-44"}))
        .await;
    let mut key = made.json()["keys"][0].clone();
    assert_eq!(
        (&key["kty"], key["priv"].as_str().unwrap().len()),
        (&json!("AKP"), 43)
    );
    key["kid"] = json!("moved");
    let path = format!("{SET}/moved");
    let answer = room.admin(Method::PUT, &path, key.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let token = room.token(&id).await;
    assert_eq!(verified(&room, &token).await, "ML-DSA-44");
    key["pub"] = Value::from("AA");
    let answer = room.admin(Method::PUT, &path, key).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
}
