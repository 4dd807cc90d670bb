//! One key, one algorithm: keys that are taken for another kind, and keys that are none.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_jose::{
    Algorithm, Jwk, JwkSet, KeyError, PrivateKey, RsaBits, TokenError, base64url, jws,
};
use serde_json::{Value, json};

/// `SubjectPublicKeyInfo` of a point of P-256, up to the point (RFC 5480).
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap()
}

fn public(algorithm: Algorithm) -> Value {
    Value::Object(key(algorithm).public_jwk().to_object())
}

fn read(key: &Value) -> Result<Jwk, KeyError> {
    Jwk::from_json(key.to_string().as_bytes())
}

// Holds JW-01.
#[test]
fn a_public_key_is_no_shared_secret_in_any_spelling() {
    let key = public(Algorithm::Es256);
    let set = JwkSet::new(vec![read(&key).unwrap()]);
    let part = |name: &str| base64url::decode(key[name].as_str().unwrap()).unwrap();
    let point = [&[4], &part("x")[..], &part("y")].concat();
    let der = [&P256_INFO[..], &point].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &STANDARD.encode(&der)[..64],
        &STANDARD.encode(&der)[64..]
    );
    for secret in [
        key.to_string().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        pem.into_bytes(),
        der,
        point,
        part("x"),
        Vec::new(),
    ] {
        for (name, mac) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let header = base64url::encode(json!({"alg": name, "kid": "k"}).to_string());
            let signed = format!("{header}.e30");
            let tag = hmac::sign(&hmac::Key::new(mac, &secret), signed.as_bytes());
            let forged = format!("{signed}.{}", base64url::encode(tag));
            assert_eq!(
                jws::verify(&forged, &set),
                Err(TokenError::Algorithm),
                "{name}"
            );
        }
    }
}

// Holds JW-01.
#[test]
fn a_key_verifies_by_its_own_algorithm_alone() {
    for bound in Algorithm::ALL {
        let signer = key(bound);
        let signature = signer.sign(b"message").unwrap();
        for algorithm in Algorithm::ALL {
            let verifies = signer
                .public_jwk()
                .verifies(algorithm, b"message", &signature);
            assert_eq!(verifies, algorithm == bound, "{bound} {algorithm}");
        }
    }
}

// Holds JW-01.
#[test]
fn a_key_that_names_no_algorithm_still_has_one_family_and_one_curve() {
    for (bound, family) in [
        (
            Algorithm::Rs256,
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        (Algorithm::Es256, &["ES256"]),
        (Algorithm::Es384, &["ES384"]),
        (Algorithm::Es512, &["ES512"]),
        (Algorithm::EdDsa, &["EdDSA"]),
    ] {
        let mut object = public(bound);
        object.as_object_mut().unwrap().remove("alg");
        let key = read(&object).unwrap();
        let accepted: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| key.accepts(*algorithm))
            .map(Algorithm::name)
            .collect();
        assert_eq!(accepted, family);
    }
}

// Holds JW-01, JW-17.
#[test]
fn a_key_whose_members_belong_to_different_kinds_is_none() {
    for (algorithm, member, value) in [
        (Algorithm::Es256, "crv", json!("P-384")),
        (Algorithm::Es256, "crv", json!("secp256k1")),
        (Algorithm::Es256, "crv", json!("Ed25519")),
        (Algorithm::Es256, "kty", json!("OKP")),
        (Algorithm::Es256, "kty", json!("RSA")),
        (Algorithm::Es256, "kty", json!("oct")),
        (Algorithm::Es256, "kty", json!("ec")),
        (Algorithm::Es256, "alg", json!("ES384")),
        (Algorithm::Es256, "alg", json!("HS256")),
        (Algorithm::Es256, "alg", json!("none")),
        (Algorithm::Es256, "alg", json!(["ES256"])),
        (Algorithm::Es256, "kid", json!(7)),
        (Algorithm::Rs256, "alg", json!("ES256")),
        (Algorithm::Rs256, "alg", json!("RSA-OAEP")),
        (Algorithm::EdDsa, "crv", json!("X25519")),
        (Algorithm::EdDsa, "crv", json!("Ed448")),
        (Algorithm::EdDsa, "alg", json!("ES256")),
    ] {
        let mut object = public(algorithm);
        object[member] = value;
        assert!(read(&object).is_err(), "{object}");
        let good = public(Algorithm::EdDsa);
        let set = json!({"keys": [object, good]});
        let set = JwkSet::from_json(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.keys().len(), 1);
    }
}

// Holds JW-17.
#[test]
fn operations_of_a_key_are_heeded() {
    let signer = key(Algorithm::Es256);
    let signature = signer.sign(b"message").unwrap();
    for (operations, expected) in [
        (json!(["verify"]), Ok(true)),
        (json!(["sign"]), Ok(true)),
        (json!(["sign", "verify", "x"]), Ok(true)),
        (json!(["encrypt", "wrapKey"]), Ok(false)),
        (json!([]), Ok(false)),
        (
            json!(["verify", "verify"]),
            Err(KeyError::Member("key_ops")),
        ),
        (json!("verify"), Err(KeyError::Member("key_ops"))),
        (json!([1]), Err(KeyError::Member("key_ops"))),
    ] {
        let mut object = Value::Object(signer.public_jwk().to_object());
        object["key_ops"] = operations.clone();
        let verifies =
            read(&object).map(|key| key.verifies(Algorithm::Es256, b"message", &signature));
        assert_eq!(verifies, expected, "{operations}");
    }
}

// Holds JW-02.
#[test]
fn rsa_keys_have_a_length_and_an_exponent_that_protect() {
    let good = vec![0xff; 256];
    let short = [&[0x7f], &good[1..]].concat();
    for (n, e, is_good) in [
        (&good, &[1, 0, 1][..], true),
        (&good, &[3], true),
        (&[&[0], &good[..]].concat(), &[0, 1, 0, 1], true),
        (&vec![0xff; 1024], &[1, 0, 1], true),
        (&vec![0xff; 255], &[1, 0, 1], false),
        (&short, &[1, 0, 1], false),
        (&[&[0], &good[1..]].concat(), &[1, 0, 1], false),
        (&vec![0xff; 1025], &[1, 0, 1], false),
        (&vec![0; 256], &[1, 0, 1], false),
        (&good, &[1], false),
        (&good, &[0, 1], false),
        (&good, &[0], false),
        (&good, &[2], false),
        (&good, &[1, 0, 0], false),
        (&good, &[1; 6], false),
        (&good, &good, false),
    ] {
        let object = json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)});
        assert_eq!(read(&object).is_ok(), is_good, "{} {e:?}", n.len());
    }
}

// Holds JW-02, JW-06.
#[test]
fn points_off_their_curve_are_no_keys() {
    for (algorithm, length) in [
        (Algorithm::Es256, 32),
        (Algorithm::Es384, 48),
        (Algorithm::Es512, 66),
    ] {
        let object = public(algorithm);
        let encoded = |byte: u8| json!(base64url::encode(vec![byte; length]));
        let x = object["x"].clone();
        for (name, value) in [
            ("y", x),
            ("x", encoded(0)),
            ("y", encoded(0)),
            ("x", encoded(0xff)),
            ("y", json!(base64url::encode(vec![1; length - 1]))),
            ("y", json!(base64url::encode(vec![0; length + 1]))),
        ] {
            let mut wrong = object.clone();
            wrong[name] = value;
            assert!(read(&wrong).is_err(), "{algorithm} {name}");
        }
        let mut infinity = object.clone();
        infinity["x"] = encoded(0);
        infinity["y"] = encoded(0);
        assert_eq!(read(&infinity), Err(KeyError::Rejected));
    }
}

// Holds JW-02, JW-06.
#[test]
fn points_of_low_order_are_no_keys() {
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let mut points: Vec<Vec<u8>> = vec![
        vec![0; 32],
        [&[1][..], &[0; 31]].concat(),
        (0..32)
            .map(|at| u8::from_str_radix(&order_8[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
    ];
    for first in [0xec, 0xed, 0xee] {
        points.push([&[first][..], &[0xff; 30], &[0x7f]].concat());
    }
    for point in points {
        for sign in [0, 0x80] {
            let mut point = point.clone();
            point[31] |= sign;
            let object = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&point)});
            assert_eq!(read(&object), Err(KeyError::Rejected), "{point:x?}");
        }
    }
    for length in [0, 31, 33, 64] {
        let point = base64url::encode(vec![1; length]);
        assert!(read(&json!({"kty": "OKP", "crv": "Ed25519", "x": point})).is_err());
    }
}
