//! A token and a set of keys: nothing that is made up verifies.
#![no_main]

use std::sync::LazyLock;

use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, jws, jwt};
use libfuzzer_sys::fuzz_target;

/// Keys whose private halves are forgotten.
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let keys = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| {
        let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k");
        key.expect("a key can be made").public_jwk().clone()
    });
    JwkSet::new(keys.to_vec())
});

fuzz_target!(|input: &[u8]| {
    let _ = JwkSet::from_json(input);
    let _ = jwt::claims(input);
    let Ok(compact) = std::str::from_utf8(input) else {
        return;
    };
    let _ = jws::decode_unverified(compact);
    assert!(jwt::verify(compact, &KEYS).is_err());
});
