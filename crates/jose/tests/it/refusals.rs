//! Tokens that must not be accepted.

use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, TokenError, base64url, jws};
use serde_json::{Value, json};

fn key(algorithm: Algorithm) -> (PrivateKey, JwkSet) {
    let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap();
    let set = JwkSet::new(vec![key.public_jwk().clone()]);
    (key, set)
}

fn refusal(header: &Value) -> TokenError {
    let (key, set) = key(Algorithm::Es256);
    let compact = jws::sign_compact(&key, &header.to_string(), b"{}").unwrap();
    jws::verify(&compact, &set).unwrap_err()
}

// Holds JW-01.
#[test]
fn the_header_does_not_choose_the_algorithm() {
    for name in [
        "none", "None", "NONE", "nOnE", "HS256", "HS512", "ES256K", "",
    ] {
        assert_eq!(
            refusal(&json!({"alg": name})),
            TokenError::Algorithm,
            "{name}"
        );
    }
    assert_eq!(refusal(&json!({})), TokenError::Algorithm);
    for name in ["RS256", "PS256", "ES384", "EdDSA"] {
        assert_eq!(refusal(&json!({"alg": name})), TokenError::NoKey, "{name}");
    }
}

// Holds JW-03.
#[test]
fn critical_headers_are_refused() {
    for crit in [
        json!(["x"]),
        json!([]),
        json!(["alg"]),
        json!(["b64"]),
        json!(["x", "x"]),
        json!("x"),
        json!({}),
        json!(null),
    ] {
        let header = json!({"alg": "ES256", "crit": crit, "x": 1});
        assert_eq!(refusal(&header), TokenError::Critical, "{header}");
    }
    for b64 in [json!(false), json!("false"), json!(0), json!(null)] {
        let header = json!({"alg": "ES256", "b64": b64});
        assert_eq!(refusal(&header), TokenError::Critical, "{header}");
        let header = json!({"alg": "ES256", "b64": b64, "crit": ["b64"]});
        assert_eq!(refusal(&header), TokenError::Critical, "{header}");
    }
}

// Holds JW-03.
#[test]
fn a_payload_that_is_not_encoded_is_never_read() {
    let (key, set) = key(Algorithm::Es256);
    // Signed as RFC 7797 says: the payload as it is.
    let header = base64url::encode(r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#);
    let signature = base64url::encode(key.sign(format!("{header}.{{}}").as_bytes()).unwrap());
    for payload in ["{}", "e30", ""] {
        let compact = format!("{header}.{payload}.{signature}");
        assert_eq!(
            jws::verify(&compact, &set),
            Err(TokenError::Critical),
            "{payload}"
        );
    }
}

// Holds JW-14.
#[test]
fn what_is_encrypted_or_compressed_is_refused() {
    let (_, set) = key(Algorithm::Es256);
    for header in [
        json!({"alg": "ES256", "zip": "DEF"}),
        json!({"alg": "ES256", "enc": "A128GCM"}),
    ] {
        assert_eq!(refusal(&header), TokenError::Critical, "{header}");
    }
    for header in [
        r#"{"alg":"dir","enc":"A128GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2s":"AA","p2c":1000000000}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}"#,
    ] {
        let compact = format!("{}.AA.AA.AA.AA", base64url::encode(header));
        assert_eq!(
            jws::verify(&compact, &set),
            Err(TokenError::Parts),
            "{header}"
        );
    }
}

// Holds JW-06.
#[test]
fn ecdsa_signatures_have_one_form() {
    for (algorithm, order) in ORDERS {
        let (key, set) = key(algorithm);
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let compact = jws::sign_compact(&key, &header, b"{}").unwrap();
        let (signed, signature) = compact.rsplit_once('.').unwrap();
        let good = base64url::decode(signature).unwrap();
        let (r, s) = good.split_at(good.len() / 2);
        let order = hex(order);
        let zero = vec![0; r.len()];
        let length = |part: &[u8]| u8::try_from(part.len()).unwrap();
        let der = [&[0x02, length(r)], r, &[0x02, length(s)], s].concat();
        for bytes in [
            [&zero[..], &zero].concat(),
            [&zero[..], s].concat(),
            [r, &zero].concat(),
            [&order[..], s].concat(),
            [r, &order].concat(),
            [&order[..], &order].concat(),
            [s, r].concat(),
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            [r, &[0], s].concat(),
            [&[0x30, length(&der)], &der[..]].concat(),
            vec![0; 96],
            vec![],
        ] {
            let forged = format!("{signed}.{}", base64url::encode(&bytes));
            let outcome = jws::verify(&forged, &set);
            assert_eq!(
                outcome,
                Err(TokenError::Signature),
                "{algorithm} {}",
                bytes.len()
            );
        }
    }
}

/// The order of each curve's base point (FIPS 186-4, D.1.2), as long as a coordinate.
const ORDERS: [(Algorithm, &str); 3] = [
    (
        Algorithm::Es256,
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    (
        Algorithm::Es384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
         581a0db248b0a77aecec196accc52973",
    ),
    (
        Algorithm::Es512,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         ffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
];

fn hex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

// Holds JW-11.
#[test]
fn a_key_inside_the_token_is_not_believed() {
    let (_, trusted) = key(Algorithm::Es256);
    let (own, _) = key(Algorithm::Es256);
    for header in [
        json!({"alg": "ES256", "jwk": own.public_jwk().to_object()}),
        json!({"alg": "ES256", "jku": "http://127.0.0.1:1/keys"}),
        json!({"alg": "ES256", "x5u": "http://127.0.0.1:1/chain"}),
        json!({"alg": "ES256", "x5c": ["AA=="], "x5t#S256": "AA"}),
    ] {
        let compact = jws::sign_compact(&own, &header.to_string(), b"{}").unwrap();
        assert_eq!(
            jws::verify(&compact, &trusted),
            Err(TokenError::Signature),
            "{header}"
        );
        assert_eq!(
            jws::verify(&compact, &JwkSet::default()),
            Err(TokenError::NoKey)
        );
    }
}

// Holds JW-12.
#[test]
fn the_name_of_a_key_is_only_compared() {
    for kid in ["../../dev/null", "' OR 1=1", "k "] {
        assert_eq!(
            refusal(&json!({"alg": "ES256", "kid": kid})),
            TokenError::NoKey
        );
    }
    assert_eq!(
        refusal(&json!({"alg": "ES256", "kid": 1})),
        TokenError::NoKey
    );
    assert_eq!(
        refusal(&json!({"alg": "ES256", "kid": "k".repeat(30_000)})),
        TokenError::TooLong
    );
}

// Holds JW-13, JW-14.
#[test]
fn sizes_and_parts_are_checked_before_anything_is_decoded() {
    let (_, set) = key(Algorithm::Es256);
    assert_eq!(
        jws::verify(&".".repeat(1 << 20), &set),
        Err(TokenError::TooLong)
    );
    assert_eq!(
        jws::verify(&".".repeat(1 << 10), &set),
        Err(TokenError::Parts)
    );
    assert_eq!(jws::verify("a.b.c.d.e", &set), Err(TokenError::Parts));
    assert_eq!(jws::verify("a.b", &set), Err(TokenError::Parts));
    assert_eq!(jws::verify("", &set), Err(TokenError::Parts));
}

#[test]
fn one_flipped_bit_is_enough() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let (key, set) = key(algorithm);
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let compact = jws::sign_compact(&key, &header, br#"{"sub":"a"}"#).unwrap();
        for position in (0..compact.len()).step_by(7) {
            let mut bytes = compact.clone().into_bytes();
            bytes[position] ^= 1;
            let Ok(forged) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(
                jws::verify(&forged, &set).is_err(),
                "{algorithm} at {position}"
            );
        }
    }
}
