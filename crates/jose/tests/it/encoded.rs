//! Keys as OpenSSL keeps them.

use std::path::Path;

use carnet_jose::{
    Algorithm, Jwk, JwkSet, KeyError, PrivateKey,
    encoded::{self, Binding},
    jws,
};

fn pem(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    std::fs::read(folder.join(format!("{name}.pem"))).unwrap()
}

fn binding(algorithm: Algorithm) -> Binding<'static> {
    Binding {
        algorithm,
        kid: "k",
        usage: "sig",
    }
}

fn private(name: &str, algorithm: Algorithm) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_der(&encoded::from_pem(&pem(name)).unwrap(), binding(algorithm))
}

fn public(name: &str, algorithm: Algorithm) -> Result<Jwk, KeyError> {
    Jwk::from_der(&encoded::from_pem(&pem(name)).unwrap(), binding(algorithm))
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    let rsa = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ]
    .map(|algorithm| (algorithm, "rsa", ["pkcs1", "pkcs8"].as_slice()));
    let others = [
        (Algorithm::Es256, "p256", ["sec1", "pkcs8"].as_slice()),
        (Algorithm::Es384, "p384", &["sec1", "pkcs8"]),
        (Algorithm::Es512, "p521", &["sec1", "pkcs8"]),
        (Algorithm::EdDsa, "ed25519", &["pkcs8"]),
    ];
    let mut seen = 0;
    for (algorithm, name, forms) in rsa.into_iter().chain(others) {
        let spki = public(&format!("{name}.spki"), algorithm).unwrap();
        for form in forms {
            let key = private(&format!("{name}.{form}"), algorithm).unwrap();
            assert_eq!(key.public_jwk(), &spki, "{algorithm} {form}");
            let header = format!(r#"{{"alg":"{algorithm}","kid":"k"}}"#);
            let token = jws::sign_compact(&key, &header, b"{}").unwrap();
            assert!(jws::verify(&token, &JwkSet::new(vec![spki.clone()])).is_ok());
            seen += 1;
        }
    }
    assert_eq!(seen, 12 + 7);
    for (name, algorithm) in [("rsa", Algorithm::Ps256), ("p256", Algorithm::Es256)] {
        let certified = public(&format!("{name}.certificate"), algorithm).unwrap();
        assert_eq!(
            certified,
            public(&format!("{name}.spki"), algorithm).unwrap()
        );
    }
}

// Holds JW-02.
#[test]
fn a_key_for_another_algorithm_or_a_weak_one_is_refused() {
    for (name, algorithm) in [
        ("p256.sec1", Algorithm::Es384),
        ("p256.sec1", Algorithm::Rs256),
        ("p256.sec1", Algorithm::EdDsa),
        ("ed25519.pkcs8", Algorithm::Es256),
        ("rsa.pkcs8", Algorithm::EdDsa),
        ("weak.pkcs8", Algorithm::Rs256),
        ("secp256k1.sec1", Algorithm::Es256),
        ("p256.spki", Algorithm::Es256),
        ("p256.certificate", Algorithm::Es256),
    ] {
        assert!(private(name, algorithm).is_err(), "{name} {algorithm}");
    }
    for (name, algorithm) in [
        ("p256.spki", Algorithm::Es384),
        ("p256.certificate", Algorithm::Rs256),
        ("ed25519.spki", Algorithm::Es256),
        ("rsa.spki", Algorithm::EdDsa),
        ("weak.spki", Algorithm::Rs256),
        ("p256.sec1", Algorithm::Es256),
    ] {
        assert!(public(name, algorithm).is_err(), "{name} {algorithm}");
    }
}

#[test]
fn what_is_no_key_or_cut_off_is_refused() {
    for text in ["", "-----BEGIN PRIVATE KEY-----\n", "no key"] {
        assert!(encoded::from_pem(text.as_bytes()).is_none(), "{text}");
    }
    assert!(encoded::from_pem(&pem("p256.encrypted")).is_none());
    for (name, algorithm) in [
        ("rsa.certificate", Algorithm::Rs256),
        ("p256.spki", Algorithm::Es256),
    ] {
        let der = encoded::from_pem(&pem(name)).unwrap();
        for length in 0..der.len().min(400) {
            let cut = Jwk::from_der(&der[..length], binding(algorithm));
            assert!(cut.is_err(), "{name} {length}");
        }
    }
}

#[test]
fn a_pem_key_is_bound_to_the_usual_algorithm_of_its_kind_unless_one_is_named() {
    for (name, algorithm) in [
        ("rsa.pkcs1", Algorithm::Rs256),
        ("rsa.pkcs8", Algorithm::Rs256),
        ("p256.sec1", Algorithm::Es256),
        ("p384.pkcs8", Algorithm::Es384),
        ("p521.sec1", Algorithm::Es512),
        ("ed25519.pkcs8", Algorithm::EdDsa),
    ] {
        let key = PrivateKey::from_pem(&pem(name), None, "").unwrap();
        assert_eq!((key.algorithm(), key.kid()), (algorithm, ""), "{name}");
    }
    let key = PrivateKey::from_pem(&pem("rsa.pkcs1"), Some(Algorithm::Ps384), "k").unwrap();
    assert_eq!((key.algorithm(), key.kid()), (Algorithm::Ps384, "k"));
    for (name, algorithm) in [
        ("rsa.pkcs8", Some(Algorithm::Es256)),
        ("rsa.spki", None),
        ("p256.encrypted", None),
        ("secp256k1.sec1", None),
        ("weak.pkcs8", None),
    ] {
        assert!(
            PrivateKey::from_pem(&pem(name), algorithm, "k").is_err(),
            "{name}"
        );
    }
}
