//! `publicKey`: one key of each kind, as PEM.

use carnet_jose::{Algorithm, PrivateKey, encoded};
use rcgen::{KeyPair, SignatureAlgorithm};
use serde_json::json;

use super::{Door, claims, key, shared, signed, signed_as};

/// A key, and its public part as PEM.
fn pair(kind: &'static SignatureAlgorithm, algorithm: Algorithm) -> (PrivateKey, String) {
    let pair = KeyPair::generate_for(kind).unwrap();
    let private = pair.serialize_pem();
    let private = PrivateKey::from_pem(private.as_bytes(), Some(algorithm), "k");
    (private.unwrap(), pair.public_key_pem())
}

// Holds JW-01, CVE-2026-39999.
#[tokio::test]
async fn a_public_key_verifies_what_it_signed_and_is_no_secret() {
    for (kind, algorithm) in [
        (&rcgen::PKCS_RSA_SHA256, Algorithm::Rs256),
        (&rcgen::PKCS_ECDSA_P256_SHA256, Algorithm::Es256),
        (&rcgen::PKCS_ECDSA_P384_SHA384, Algorithm::Es384),
        (&rcgen::PKCS_ED25519, Algorithm::EdDsa),
    ] {
        let (own, pem) = pair(kind, algorithm);
        let door = Door::new(&format!("publicKey: {}", json!(pem))).await;
        let der = encoded::from_pem(pem.as_bytes()).unwrap();
        let name = algorithm.name();
        let secrets = [
            pem.as_bytes(),
            pem.trim().as_bytes(),
            &der[..],
            own.public_jwk().kid().as_bytes(),
        ];
        for secret in secrets {
            for by in ["HS256", "HS384", "HS512"] {
                let forged = shared(secret, by, &claims());
                assert_eq!(door.with(&forged).await.status, 401, "{name} {by}");
            }
        }
        let forger = key(algorithm, "k");
        assert_eq!(door.with(&signed(&forger, &claims())).await.status, 401);
        let none = signed_as(&own, &json!({"alg": "none"}), &claims());
        assert_eq!(door.with(&none).await.status, 401, "{name}");
        assert_eq!(door.backend.count(), 0, "{name}");
        // There is one key, whatever a token calls it.
        for header in [
            json!({"alg": name}),
            json!({"alg": name, "kid": "k"}),
            json!({"alg": name, "kid": "../x"}),
        ] {
            let right = signed_as(&own, &header, &claims());
            assert_eq!(door.with(&right).await.status, 200, "{header}");
        }
    }
}
