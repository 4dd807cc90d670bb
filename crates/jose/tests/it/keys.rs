//! Making, keeping and reading keys.

use carnet_jose::{Algorithm, JwkSet, KeyError, PrivateKey, RsaBits, base64url, jws};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

#[test]
fn every_algorithm_signs_and_survives_being_kept() {
    for algorithm in Algorithm::ALL {
        let made = PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap();
        let kept = made.to_private_json().unwrap();
        let key = PrivateKey::from_json(kept.expose_secret().as_bytes()).unwrap();
        assert_eq!(key.public_jwk(), made.public_jwk(), "{algorithm}");
        let header = format!(r#"{{"alg":"{algorithm}","kid":"k","typ":"JWT"}}"#);
        let compact = jws::sign_compact(&key, &header, b"{}").unwrap();
        let keys = JwkSet::new(vec![made.public_jwk().clone()]);
        assert_eq!(jws::verify(&compact, &keys).unwrap().algorithm, algorithm);
    }
}

#[test]
fn a_private_key_has_its_members_in_the_known_order() {
    let key = PrivateKey::generate(Algorithm::Rs256, RsaBits::B2048, "k").unwrap();
    let json: Value = serde_json::from_str(key.to_private_json().unwrap().expose_secret()).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "use", "kty", "kid", "alg", "n", "e", "d", "p", "q", "dp", "dq", "qi"
        ]
    );
    let d = base64url::decode(json["d"].as_str().unwrap()).unwrap();
    assert_eq!(d.len(), 256);
}

// Holds JW-18.
#[test]
fn the_public_part_has_no_private_member() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap();
        let public = JwkSet::new(vec![key.public_jwk().clone()]).to_object();
        for name in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(public["keys"][0].get(name).is_none(), "{algorithm} {name}");
        }
        assert!(!format!("{key:?}").contains("Rsa"), "{algorithm}");
    }
}

// Holds JW-02, JW-17.
#[test]
fn keys_that_are_weak_or_unknown_are_left_out_of_a_set() {
    let good = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "good").unwrap();
    let set = json!({"keys": [
        {"kty": "RSA", "n": base64url::encode([0xff; 128]), "e": "AQAB", "kid": "1024 bits"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "quantum"},
        {"kty": "RSA"},
        good.public_jwk().to_object(),
    ]});
    let set = JwkSet::from_json(set.to_string().as_bytes()).unwrap();
    let names: Vec<_> = set.keys().iter().map(carnet_jose::Jwk::kid).collect();
    assert_eq!(names, ["good"]);
}

#[test]
fn private_keys_whose_members_contradict_each_other_are_refused() {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let other = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let mut json: Value =
        serde_json::from_str(key.to_private_json().unwrap().expose_secret()).unwrap();
    json["x"] = other.public_jwk().to_object()["x"].clone();
    json["y"] = other.public_jwk().to_object()["y"].clone();
    assert_eq!(
        PrivateKey::from_json(json.to_string().as_bytes()).unwrap_err(),
        KeyError::Rejected
    );
    json["alg"] = "RS256".into();
    assert_eq!(
        PrivateKey::from_json(json.to_string().as_bytes()).unwrap_err(),
        KeyError::WrongAlgorithm("RS256")
    );
}

#[test]
fn a_key_for_encryption_verifies_nothing() {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let key = key.with_usage("enc");
    let compact = jws::sign_compact(&key, r#"{"alg":"ES256"}"#, b"{}").unwrap();
    assert!(jws::verify(&compact, &JwkSet::new(vec![key.public_jwk().clone()])).is_err());
}
