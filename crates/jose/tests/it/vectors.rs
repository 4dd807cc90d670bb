//! Vectors of the RFCs.

use carnet_jose::{Algorithm, Jwk, JwkSet, PrivateKey, RsaBits, base64url, jws};
use serde_json::{Value, json};

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

/// Each against a key that fits nothing of it: what is refused is the text.
#[test]
fn the_rfcs_tokens_that_are_not_for_us_are_refused() {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let keys = JwkSet::new(vec![key.public_jwk().clone()]);
    for vector in vectors("refused") {
        let error = jws::verify(vector["compact"].as_str().unwrap(), &keys).unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            vector["error"],
            "{}",
            vector["source"]
        );
    }
}

/// RFC 7517, A.1 to A.3: public keys as they are, private ones without their secrets, and no
/// symmetric ones.
#[test]
fn the_rfcs_key_sets_are_read() {
    let n = &vectors("thumbprints")[0]["key"]["n"];
    let ec = json!({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"});
    let set = json!({"keys": [
        ec,
        {"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"},
        {"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg"},
        {"kty": "oct", "kid": "HMAC key used in JWS spec Appendix A.1 example",
         "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
    ]});
    let set = JwkSet::from_json(set.to_string().as_bytes()).unwrap();
    let found: Vec<_> = set
        .keys()
        .iter()
        .map(|key| (key.kid(), key.usage(), key.algorithm()))
        .collect();
    assert_eq!(
        found,
        [
            ("1", "enc", None),
            ("2011-04-29", "sig", Some(Algorithm::Rs256))
        ]
    );
    assert!(set.to_object()["keys"][0].get("d").is_none());
    assert!(PrivateKey::from_json(ec.to_string().as_bytes()).is_ok());
}
