//! A token, as text and as its parts: nothing that is made up verifies, and what is read is what
//! was written.
#![no_main]

use std::sync::LazyLock;

use carnet_jose::jws::Opened;
use carnet_jose::{
    Algorithm, JwkSet, PrivateKey, Registered, RsaBits, SharedSecret, base64url, json, jws, jwt,
};
use libfuzzer_sys::fuzz_target;

/// Keys whose private halves are forgotten.
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let keys = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| {
        let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k");
        key.expect("a key can be made").public_jwk().clone()
    });
    JwkSet::new(keys.to_vec())
});

/// A secret that no input holds.
static SECRET: LazyLock<SharedSecret> =
    LazyLock::new(|| SharedSecret::new(b"a secret of more than thirty-two bytes"));

fuzz_target!(|input: &[u8]| {
    if let Ok(compact) = std::str::from_utf8(input) {
        let _ = jws::decode_unverified(compact);
        assert!(jwt::verify(compact, &KEYS).is_err());
        if let Ok(opened) = Opened::read(compact) {
            assert!(opened.signed_by_key(&KEYS.keys()[0]).is_err());
            assert!(opened.signed_with(&SECRET).is_err());
        }
    }
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut part = || lines.next().unwrap_or_default();
    let (header, payload, signature) = (part(), part(), part());
    let compact = [header, payload, signature]
        .map(base64url::encode)
        .join(".");
    assert!(jws::verify(&compact, &KEYS).is_err());
    if let Ok(decoded) = jws::decode_unverified(&compact) {
        assert_eq!(decoded.payload, payload);
        if let Ok(opened) = Opened::read(&compact) {
            let text = |name: &str| decoded.header.get(name)?.as_str();
            assert_eq!(opened.kid(), text("kid"));
            assert_eq!(
                opened.kind().unwrap_or_default(),
                text("typ").unwrap_or_default()
            );
        }
        assert_eq!(json::parse_object(header).ok(), Some(decoded.header));
    }
    // What is read of claims alone is what is read with all others, and as strictly.
    let claims = jwt::claims(payload);
    let alone = claims.as_ref().map(Registered::of);
    assert_eq!(Registered::read(payload).as_ref().ok(), alone.as_ref().ok());
    if let Ok(claims) = claims {
        for name in ["exp", "nbf", "iat"] {
            assert_eq!(
                claims.contains_key(name),
                jwt::time(&claims, name).is_some()
            );
        }
    }
});
