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
        json!("x"),
    ] {
        assert_eq!(
            refusal(&json!({"alg": "ES256", "crit": crit})),
            TokenError::Critical
        );
    }
    assert_eq!(
        refusal(&json!({"alg": "ES256", "b64": false})),
        TokenError::Critical
    );
}

// Holds JW-06.
#[test]
fn ecdsa_signatures_have_one_form() {
    let (key, set) = key(Algorithm::Es256);
    let compact = jws::sign_compact(&key, r#"{"alg":"ES256"}"#, b"{}").unwrap();
    let (signed, signature) = compact.rsplit_once('.').unwrap();
    let good = base64url::decode(signature).unwrap();
    let der = [
        &[0x30, 0x44, 0x02, 0x20],
        &good[..32],
        &[0x02, 0x20],
        &good[32..],
    ]
    .concat();
    let bad = [
        vec![0; 64],
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        vec![0; 96],
        der,
    ];
    for bytes in bad {
        let forged = format!("{signed}.{}", base64url::encode(&bytes));
        assert_eq!(
            jws::verify(&forged, &set),
            Err(TokenError::Signature),
            "{}",
            bytes.len()
        );
    }
}

// Holds JW-11.
#[test]
fn a_key_inside_the_token_is_not_believed() {
    let (_, trusted) = key(Algorithm::Es256);
    let (own, _) = key(Algorithm::Es256);
    let header = json!({"alg": "ES256", "jwk": own.public_jwk().to_object(),
                        "jku": "http://127.0.0.1:1/keys"});
    let compact = jws::sign_compact(&own, &header.to_string(), b"{}").unwrap();
    assert_eq!(jws::verify(&compact, &trusted), Err(TokenError::Signature));
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
