//! Tokens that are bound to certificates and keys.

mod certificates;
mod proofs;

pub(crate) use proofs::Key;

use carnet_jose::jws;
use serde_json::{Value, json};

use crate::server::{Answer, Room};

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    let decoded = jws::decode_unverified(token).unwrap();
    serde_json::from_slice(&decoded.payload).unwrap()
}

/// A token that an answer has, after what it says of its kind.
fn token(answer: &Answer, kind: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["token_type"], kind);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Whether introspection says what a token is bound to, and the token itself when it is signed.
async fn assert_bound(room: &Room, token: &str, cnf: Value) {
    assert_eq!(room.introspect(token).await["cnf"], cnf);
    if token.starts_with("eyJ") {
        let claims = claims(token);
        assert_eq!((&claims["cnf"], &claims["ext"]), (&cnf, &json!({})));
    }
}
