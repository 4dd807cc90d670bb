//! ML-DSA (RFC 9964).

use carnet_jose::{
    Algorithm, Jwk, JwkSet, KeyError, PrivateKey, RsaBits, TokenError, encoded::Binding, jws,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// The JWS of RFC 9964, appendix A.1.1.
const SIGNED: &str = include_str!("../vectors/rfc9964_ml_dsa_44.jws");

/// The thumbprints of the keys of a seed of zeros, in that appendix.
const OF_ZEROS: [(Algorithm, &str); 2] = [
    (
        Algorithm::MlDsa44,
        "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o",
    ),
    (
        Algorithm::MlDsa65,
        "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM",
    ),
];

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap()
}

fn private(key: &PrivateKey) -> Value {
    serde_json::from_str(key.to_private_json().unwrap().expose_secret()).unwrap()
}

/// The key of a seed of zeros: its public part is known by trying whether it fits.
fn of_zeros(algorithm: Algorithm) -> PrivateKey {
    // PKCS #8 with a seed alone (RFC 9881, section 6).
    let number = match algorithm {
        Algorithm::MlDsa44 => 0x11,
        _ => 0x12,
    };
    let head = [
        0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
        0x04, 0x03, number, 0x04, 0x22, 0x80, 0x20,
    ];
    let der = [&head[..], &[0; 32]].concat();
    let binding = Binding {
        algorithm,
        kid: "",
        usage: "sig",
    };
    PrivateKey::from_der(&der, binding).unwrap()
}

#[test]
fn the_keys_of_the_standard_have_its_thumbprints() {
    for (algorithm, thumbprint) in OF_ZEROS {
        let key = of_zeros(algorithm);
        assert_eq!(key.public_jwk().thumbprint(), thumbprint);
        assert_eq!(private(&key)["priv"], "A".repeat(43));
        assert_eq!(private(&key)["kty"], "AKP");
    }
}

#[test]
fn the_signature_of_the_standard_is_right_and_no_other() {
    let mut public = of_zeros(Algorithm::MlDsa44).public_jwk().to_object();
    public.insert("kid".to_owned(), json!(OF_ZEROS[0].1));
    let keys = JwkSet::new(vec![Jwk::from_object(&public).unwrap()]);
    let signed = SIGNED.trim();
    let verified = jws::verify(signed, &keys).unwrap();
    let text = "It\u{2019}s a dangerous business, Frodo, going out your door.";
    assert_eq!(verified.payload, text.as_bytes());
    let (rest, signature) = signed.rsplit_once('.').unwrap();
    let forged = format!("{rest}.B{}", &signature[1..]);
    assert_eq!(jws::verify(&forged, &keys), Err(TokenError::Signature));
}

#[test]
fn a_key_is_kept_as_its_seed_and_signs_as_before() {
    for (algorithm, length) in [(Algorithm::MlDsa44, 2420), (Algorithm::MlDsa65, 3309)] {
        let made = key(algorithm);
        let kept = made.to_private_json().unwrap();
        let read = PrivateKey::from_json(kept.expose_secret().as_bytes()).unwrap();
        assert_eq!(read.public_jwk(), made.public_jwk());
        let signature = read.sign(b"message").unwrap();
        assert_eq!(signature.len(), length);
        let public = made.public_jwk();
        assert!(public.verifies(algorithm, b"message", &signature));
        assert!(!public.verifies(algorithm, b"another", &signature));
        assert!(!public.verifies(algorithm, b"message", &signature[1..]));
        assert!(
            !key(algorithm)
                .public_jwk()
                .verifies(algorithm, b"message", &signature)
        );
        assert_eq!(public.to_object().get("priv"), None);
    }
}

// Holds JW-01.
#[test]
fn the_algorithm_is_a_part_of_the_key() {
    let [one, other] = [Algorithm::MlDsa44, Algorithm::MlDsa65].map(key);
    assert!(!one.public_jwk().accepts(Algorithm::MlDsa65));
    assert!(!one.public_jwk().accepts(Algorithm::EdDsa));
    let header = r#"{"alg":"ML-DSA-65","kid":"k"}"#;
    let signed = jws::sign_compact(&one, header, b"{}").unwrap();
    let keys = JwkSet::new(vec![one.public_jwk().clone(), other.public_jwk().clone()]);
    assert_eq!(jws::verify(&signed, &keys), Err(TokenError::Signature));
    let changed = |name: &str, value: Value| {
        let mut object = private(&one);
        object[name] = value;
        PrivateKey::from_json(object.to_string().as_bytes()).map(|_| ())
    };
    let of_other = private(&other);
    for (name, value) in [
        ("alg", json!("ML-DSA-65")),
        ("alg", json!("ML-DSA-87")),
        ("alg", json!("RS256")),
        ("alg", Value::Null),
        ("pub", of_other["pub"].clone()),
        ("priv", of_other["priv"].clone()),
        ("priv", json!("AA")),
        ("kty", json!("OKP")),
    ] {
        assert!(changed(name, value.clone()).is_err(), "{name} {value}");
    }
    assert_eq!(changed("use", json!("sig")), Ok::<_, KeyError>(()));
}
