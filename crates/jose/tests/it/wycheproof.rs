//! The vectors of Project Wycheproof: signatures that some library once took, or made, wrongly.

use carnet_jose::{Algorithm, Jwk, base64url};
use serde_json::json;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// Counts what was tried: a suite that is empty proves nothing.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
}

impl Tally {
    /// One vector: what is valid must verify, all else must not.
    fn check(&mut self, key: &Jwk, algorithm: Algorithm, vector: &Vector<'_>) {
        let verifies = key.verifies(algorithm, vector.message, vector.signature);
        // What another reader may take or leave, such as a missing NULL in PKCS #1, is left.
        let is_valid = vector.expected == TestResult::Valid;
        assert_eq!(
            verifies, is_valid,
            "{algorithm} {}: {}",
            vector.id, vector.comment
        );
        match is_valid {
            true => self.valid += 1,
            false => self.invalid += 1,
        }
    }
}

struct Vector<'a> {
    id: usize,
    comment: &'a str,
    message: &'a [u8],
    signature: &'a [u8],
    expected: TestResult,
}

macro_rules! vector {
    ($test:expr) => {
        Vector {
            id: $test.tc_id,
            comment: &$test.comment,
            message: &$test.msg,
            signature: &$test.sig,
            expected: $test.result,
        }
    };
}

fn rsa(n: &[u8], e: &[u8]) -> Jwk {
    let key = json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)});
    Jwk::from_json(key.to_string().as_bytes()).unwrap()
}

// Holds JW-06.
#[test]
fn ecdsa() {
    for (name, curve, algorithm) in [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
            "P-256",
            Algorithm::Es256,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha384P1363,
            "P-384",
            Algorithm::Es384,
        ),
        (
            ecdsa::TestName::EcdsaSecp521r1Sha512P1363,
            "P-521",
            Algorithm::Es512,
        ),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let key = json!({"kty": "EC", "crv": curve,
                             "x": base64url::encode(x), "y": base64url::encode(y)});
            let key = Jwk::from_json(key.to_string().as_bytes()).unwrap();
            for test in &group.tests {
                tally.check(&key, algorithm, &vector!(test));
            }
        }
        assert!(tally.valid > 50 && tally.invalid > 50, "{curve}");
    }
}

// Holds JW-06.
#[test]
fn ecdsa_signatures_in_der_are_never_taken() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut tried = 0;
    for group in set.test_groups {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = json!({"kty": "EC", "crv": "P-256",
                         "x": base64url::encode(x), "y": base64url::encode(y)});
        let key = Jwk::from_json(key.to_string().as_bytes()).unwrap();
        for test in &group.tests {
            assert!(
                !key.verifies(Algorithm::Es256, &test.msg, &test.sig),
                "{}",
                test.comment
            );
            tried += 1;
        }
    }
    assert!(tried > 100);
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)
        .unwrap()
        .test_groups
    {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&group.key.pk)});
        let key = Jwk::from_json(key.to_string().as_bytes()).unwrap();
        for test in &group.tests {
            tally.check(&key, Algorithm::EdDsa, &vector!(test));
        }
    }
    assert!(tally.valid > 50 && tally.invalid > 50);
}

#[test]
fn rsa_pkcs1() {
    for (name, algorithm) in [
        (pkcs1::TestName::Rsa2048Sha256, Algorithm::Rs256),
        (pkcs1::TestName::Rsa2048Sha384, Algorithm::Rs384),
        (pkcs1::TestName::Rsa2048Sha512, Algorithm::Rs512),
        (pkcs1::TestName::Rsa3072Sha256, Algorithm::Rs256),
        (pkcs1::TestName::Rsa4096Sha256, Algorithm::Rs256),
        (pkcs1::TestName::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        let mut tally = Tally::default();
        for group in pkcs1::TestSet::load(name).unwrap().test_groups {
            let key = rsa(&group.key.n, &group.key.e);
            for test in &group.tests {
                tally.check(&key, algorithm, &vector!(test));
            }
        }
        assert!(tally.valid > 5 && tally.invalid > 100, "{algorithm}");
    }
}

/// JWS knows one salt, as long as the hash, and one hash (RFC 7518, section 3.5).
#[test]
fn rsa_pss() {
    for (name, algorithm, is_ours) in [
        (
            pss::TestName::RsaPss2048Sha256Mgf1SaltLen32,
            Algorithm::Ps256,
            true,
        ),
        (
            pss::TestName::RsaPss2048Sha384Mgf1SaltLen48,
            Algorithm::Ps384,
            true,
        ),
        (
            pss::TestName::RsaPss3072Sha256Mgf1SaltLen32,
            Algorithm::Ps256,
            true,
        ),
        (
            pss::TestName::RsaPss4096Sha512Mgf1SaltLen64,
            Algorithm::Ps512,
            true,
        ),
        (
            pss::TestName::RsaPss2048Sha256Mgf1SaltLen0,
            Algorithm::Ps256,
            false,
        ),
        (
            pss::TestName::RsaPss2048Sha256Mgf1Sha1_20,
            Algorithm::Ps256,
            false,
        ),
        (
            pss::TestName::RsaPss4096Sha512Mgf1SaltLen32,
            Algorithm::Ps512,
            false,
        ),
    ] {
        let mut tally = Tally::default();
        for group in pss::TestSet::load(name).unwrap().test_groups {
            let key = rsa(&group.key.n, &group.key.e);
            for test in &group.tests {
                let mut vector = vector!(test);
                if !is_ours {
                    // What is invalid there may have been made our way.
                    if vector.expected != TestResult::Valid {
                        continue;
                    }
                    vector.expected = TestResult::Invalid;
                }
                tally.check(&key, algorithm, &vector);
            }
        }
        assert_eq!(tally.valid > 0, is_ours, "{algorithm}");
        assert!(tally.invalid > 20, "{algorithm}");
    }
}
