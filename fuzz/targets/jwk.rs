//! Keys and sets of keys: what is read is written without secrets and read again the same, and
//! verifies nothing that nobody signed.
#![no_main]

use carnet_jose::{Algorithm, Jwk, JwkSet, PrivateKey};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Members that are nobody's business.
const SECRETS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

fuzz_target!(|input: &[u8]| {
    if let Ok(key) = Jwk::from_json(input) {
        check(&key);
    }
    if let Ok(set) = JwkSet::from_json(input) {
        set.keys().iter().for_each(check);
    }
    if let Ok(key) = PrivateKey::from_json(input) {
        let written = key
            .to_private_json()
            .expect("a key that was read is written");
        let again = PrivateKey::from_json(written.expose_secret().as_bytes());
        let again = again.expect("a key that was written is read");
        assert_eq!(
            again.public_jwk().thumbprint(),
            key.public_jwk().thumbprint()
        );
        let signature = key.sign(input).expect("a key that was read signs");
        let _ = again
            .public_jwk()
            .verifies(key.algorithm(), input, &signature);
    }
});

fn check(key: &Jwk) {
    let object = key.to_object();
    assert!(!SECRETS.iter().any(|name| object.contains_key(*name)));
    let again = Jwk::from_json(Value::Object(object).to_string().as_bytes());
    let again = again.expect("a key that was written is read");
    assert_eq!(again.thumbprint(), key.thumbprint());
    for algorithm in Algorithm::ALL {
        assert!(!key.verifies(algorithm, b"nobody signed this", &[0; 64]));
    }
}
