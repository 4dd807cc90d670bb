//! Tokens that are bound to keys (RFC 9449): whoever has one needs a proof by that key, for each
//! request.

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::{Algorithm, PrivateKey, base64url};
use serde_json::{Value, json};

use super::{Door, HOST, NOW, bearer, challenge, claims, inline, key, signed, signed_as};

/// What a proof says, by the key that it is of.
struct Proof<'a> {
    key: &'a PrivateKey,
    claims: Value,
}

impl<'a> Proof<'a> {
    fn of(key: &'a PrivateKey, token: &str, jti: &str) -> Self {
        let ath = base64url::encode(digest(&SHA256, token.as_bytes()));
        let htu = format!("http://{HOST}/");
        let claims = json!({"htm": "GET", "htu": htu, "iat": NOW, "jti": jti, "ath": ath});
        Self { key, claims }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    fn field(&self) -> String {
        let jwk = Value::Object(self.key.public_jwk().to_object());
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        format!("DPoP: {}", signed_as(self.key, &header, &self.claims))
    }
}

// Holds DP-02.
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_needs_a_proof_of_it_and_each_proof_counts_once() {
    let (own, holder, thief) = (
        key(Algorithm::Es256, "k"),
        key(Algorithm::Es256, "h"),
        key(Algorithm::Es256, "t"),
    );
    let mut bound = claims();
    bound["cnf"] = json!({"jkt": holder.public_jwk().thumbprint()});
    let token = signed(&own, &bound);
    let free = signed(&own, &claims());
    let door = Door::new(&inline(&[&own])).await;
    let dpop = format!("Authorization: DPoP {token}");
    let proof = |jti: &str| Proof::of(&holder, &token, jti);
    let right = proof("1").field();
    for (fields, status, error) in [
        (vec![dpop.clone(), right.clone()], 200, ""),
        // Once more, and one more.
        (vec![dpop.clone(), right.clone()], 401, "invalid_dpop_proof"),
        (vec![dpop.clone(), proof("2").field()], 200, ""),
        (vec![dpop.clone()], 401, "invalid_dpop_proof"),
        // As a bearer token it is none, with a proof or without.
        (vec![bearer(&token)], 401, "invalid_token"),
        (
            vec![bearer(&token), proof("3").field()],
            401,
            "invalid_token",
        ),
        (
            vec![dpop.clone(), Proof::of(&thief, &token, "4").field()],
            401,
            "invalid_token",
        ),
        (
            vec![dpop.clone(), Proof::of(&holder, &free, "5").field()],
            401,
            "invalid_dpop_proof",
        ),
        (
            vec![dpop.clone(), proof("6").with("htm", json!("POST")).field()],
            401,
            "invalid_dpop_proof",
        ),
        (
            vec![
                dpop.clone(),
                proof("7").with("htu", json!("http://other.test/")).field(),
            ],
            401,
            "invalid_dpop_proof",
        ),
        (
            vec![
                dpop.clone(),
                proof("8").with("iat", json!(NOW - 3600)).field(),
            ],
            401,
            "invalid_dpop_proof",
        ),
        (
            vec![dpop.clone(), proof("9").field(), proof("10").field()],
            400,
            "invalid_request",
        ),
        // A token that is bound to nothing is not sent so.
        (
            vec![
                format!("Authorization: DPoP {free}"),
                Proof::of(&holder, &free, "11").field(),
            ],
            401,
            "invalid_token",
        ),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = door.get(&fields).await;
        assert_eq!(response.status, status, "{fields:?}");
        let told = challenge(&response).unwrap_or_default();
        assert!(told.contains(error), "{told} {fields:?}");
        let is_dpop = fields[0].contains("DPoP") && status != 200;
        assert_eq!(told.starts_with("DPoP realm"), is_dpop, "{told}");
    }
    assert_eq!(door.backend.count(), 2);
    assert_eq!(door.seen("dpop"), [""; 0]);
    assert_eq!(door.seen("authorization"), [""; 0]);
}
