//! Vectors of the RFCs.

use carnet_jose::{Jwk, JwkSet, PrivateKey, base64url, jws};
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_rfcs_own_tokens_verify_and_are_made_alike() {
    for vector in vectors("signatures") {
        let source = &vector["source"];
        let key = PrivateKey::from_json(vector["key"].to_string().as_bytes()).unwrap();
        let compact = vector["compact"].as_str().unwrap();
        let keys = JwkSet::new(vec![key.public_jwk().clone()]);
        let verified = jws::verify(compact, &keys).unwrap();
        assert_eq!(
            base64url::encode(&verified.payload),
            vector["payload"],
            "{source}"
        );

        let header = vector["header"].as_str().unwrap();
        let signed = jws::sign_compact(&key, header, &verified.payload).unwrap();
        assert!(jws::verify(&signed, &keys).is_ok(), "{source}");
        if vector["deterministic"] == true {
            assert_eq!(signed, compact, "{source}");
        }
    }
}

#[test]
fn the_rfcs_own_thumbprints_come_out() {
    for vector in vectors("thumbprints") {
        let key = Jwk::from_json(vector["key"].to_string().as_bytes()).unwrap();
        assert_eq!(
            key.thumbprint(),
            vector["thumbprint"],
            "{}",
            vector["source"]
        );
    }
}
