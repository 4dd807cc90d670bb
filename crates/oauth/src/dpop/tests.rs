#![expect(clippy::unwrap_used, reason = "tests")]

use carnet_jose::{Algorithm, PrivateKey, RsaBits, base64url, jws};
use serde_json::{Value, json};

use super::{AHEAD, DpopError, Expected, Nonces, PAST, Proven, only, verify};

const NOW: i64 = 1_000_000;
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap()
}

/// The public key without its name and use, as proofs have it.
fn public(key: &PrivateKey) -> Value {
    let mut jwk = key.public_jwk().to_object();
    jwk.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
    Value::Object(jwk)
}

/// A proof, with other members of its header and other claims; `null` takes one away.
fn proof(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    let merge = |mut into: Value, changes: &Value| {
        let members = into.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        into.to_string()
    };
    let algorithm = key.algorithm().name();
    let header = merge(
        json!({"typ": "dpop+jwt", "alg": algorithm, "jwk": public(key)}),
        header,
    );
    let claims = merge(
        json!({"htm": "POST", "htu": "https://as.example/oauth2/token", "iat": NOW, "jti": "j"}),
        claims,
    );
    jws::sign_compact(key, &header, claims.as_bytes()).unwrap()
}

fn judged(proof: &str, change: impl FnOnce(&mut Expected<'_>)) -> Result<Proven, DpopError> {
    let uris = ["https://as.example/oauth2/token".to_owned()];
    let mut expected = Expected {
        method: "POST",
        uris: &uris,
        access_token: None,
        nonces: None,
        needs_nonce: false,
        now: NOW,
    };
    change(&mut expected);
    verify(proof, &expected)
}

// Holds DP-01.
#[test]
fn a_proof_of_every_algorithm_is_right_and_names_its_key() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap();
        let proven = judged(
            &proof(
                &key,
                &json!({"jwk": key.public_jwk().to_object()}),
                &json!({}),
            ),
            |_| {},
        );
        let proven = proven.unwrap();
        assert_eq!(proven.thumbprint, key.public_jwk().thumbprint());
        assert_eq!((proven.name.len(), proven.until), (43, NOW + PAST + AHEAD));
    }
}

// Holds DP-01, JW-01, JW-10.
#[test]
fn what_the_header_of_a_proof_must_say() {
    let (key, other) = (key(), key());
    let private: Value = serde_json::from_str(secrecy::ExposeSecret::expose_secret(
        &key.to_private_json().unwrap(),
    ))
    .unwrap();
    for (header, expected) in [
        (json!({"typ": "JWT"}), DpopError::Type),
        (json!({"typ": "at+jwt"}), DpopError::Type),
        (json!({"typ": null}), DpopError::Type),
        (json!({"alg": "none"}), DpopError::Algorithm),
        (json!({"alg": "HS256"}), DpopError::Algorithm),
        (json!({"alg": null}), DpopError::Algorithm),
        (json!({"alg": "ES384"}), DpopError::Key),
        (json!({"alg": "RS256"}), DpopError::Key),
        (json!({"jwk": null}), DpopError::Key),
        (json!({"jwk": "text"}), DpopError::Key),
        (json!({"jwk": {"kty": "oct", "k": "AAAA"}}), DpopError::Key),
        (json!({"jwk": private}), DpopError::Key),
        (json!({"jwk": public(&other)}), DpopError::Signature),
        (json!({"crit": ["x"], "x": 1}), DpopError::Signature),
    ] {
        let outcome = judged(&proof(&key, &header, &json!({})), |_| {});
        assert_eq!(outcome, Err(expected), "{header}");
    }
    for header in [json!({"kid": "any"}), json!({"x5c": []})] {
        let outcome = judged(&proof(&key, &header, &json!({})), |_| {});
        assert!(outcome.is_ok(), "{header}");
    }
}

// Holds DP-01.
#[test]
fn what_the_claims_of_a_proof_must_say() {
    let key = key();
    for (claims, expected) in [
        (json!({"htm": "GET"}), Err(DpopError::Method)),
        (json!({"htm": "post"}), Err(DpopError::Method)),
        (json!({"htm": null}), Err(DpopError::Method)),
        (
            json!({"htu": "https://as.example/other"}),
            Err(DpopError::Uri),
        ),
        (
            json!({"htu": "http://as.example/oauth2/token"}),
            Err(DpopError::Uri),
        ),
        (json!({"htu": null}), Err(DpopError::Uri)),
        (
            json!({"htu": "HTTPS://AS.example:443/oauth2/token?a=b#c"}),
            Ok(()),
        ),
        (json!({"iat": NOW - PAST}), Ok(())),
        (json!({"iat": NOW - PAST - 1}), Err(DpopError::Time)),
        (json!({"iat": NOW + AHEAD}), Ok(())),
        (json!({"iat": NOW + AHEAD + 1}), Err(DpopError::Time)),
        (json!({"iat": null}), Err(DpopError::Time)),
        (json!({"iat": "1000000"}), Err(DpopError::Malformed)),
        (json!({"jti": null}), Err(DpopError::Jti)),
        (json!({"jti": ""}), Err(DpopError::Jti)),
        (json!({"jti": 7}), Err(DpopError::Jti)),
        (json!({"jti": "x".repeat(256)}), Ok(())),
        (json!({"jti": "x".repeat(257)}), Err(DpopError::Jti)),
    ] {
        let outcome = judged(&proof(&key, &json!({}), &claims), |_| {});
        assert_eq!(outcome.map(drop), expected, "{claims}");
    }
}

// Holds DP-01.
#[test]
fn a_proof_beside_a_token_is_for_that_token() {
    let key = key();
    // The digest of RFC 9449, section 7.1.
    let right = json!({"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"});
    let with = |claims: &Value| {
        let proof = proof(&key, &json!({}), claims);
        judged(&proof, |expected| expected.access_token = Some(TOKEN)).map(drop)
    };
    assert_eq!(with(&right), Ok(()));
    assert_eq!(with(&json!({"ath": "x"})), Err(DpopError::Token));
    assert_eq!(with(&json!({})), Err(DpopError::Token));
}

// Holds DP-01.
#[test]
fn a_nonce_is_one_of_the_server_and_there_when_it_has_to_be() {
    let key = key();
    let nonces: &Nonces = Box::leak(Box::new(Nonces::new([b"key"])));
    let with = |claims: &Value, needs_nonce: bool| {
        let proof = proof(&key, &json!({}), claims);
        judged(&proof, |expected| {
            expected.nonces = Some(nonces);
            expected.needs_nonce = needs_nonce;
        })
        .map(|proven| proven.next_nonce)
    };
    let right = json!({"nonce": nonces.at(NOW)});
    let ending = json!({"nonce": nonces.at(NOW - 120)});
    let next = Ok(Some(nonces.at(NOW)));
    for (claims, optional, needed) in [
        (right, Ok(None), Ok(None)),
        (ending, next.clone(), next),
        (json!({}), Ok(None), Err(DpopError::Nonce)),
        (
            json!({"nonce": "old"}),
            Err(DpopError::Nonce),
            Err(DpopError::Nonce),
        ),
        (
            json!({"nonce": 7}),
            Err(DpopError::Nonce),
            Err(DpopError::Nonce),
        ),
    ] {
        assert_eq!(with(&claims, false), optional, "{claims}");
        assert_eq!(with(&claims, true), needed, "{claims}");
    }
}

// Holds DP-01.
#[test]
fn there_is_one_header_or_none() {
    let found = |values: &[&'static str]| only(values.iter().map(|value| value.as_bytes()));
    assert_eq!(found(&[]), Ok(None));
    assert_eq!(found(&["a"]), Ok(Some("a")));
    assert_eq!(found(&["a", "a"]), Err(DpopError::Several));
    assert_eq!(only([&b"\xff"[..]].into_iter()), Err(DpopError::Malformed));
}

#[test]
fn what_is_remembered_is_of_one_key_and_one_name() {
    let (one, other) = (key(), key());
    let name = |key: &PrivateKey, jti: &str| {
        judged(&proof(key, &json!({}), &json!({"jti": jti})), |_| {})
            .unwrap()
            .name
    };
    assert_eq!(name(&one, "a"), name(&one, "a"));
    assert_ne!(name(&one, "a"), name(&one, "b"));
    assert_ne!(name(&one, "a"), name(&other, "a"));
}

#[test]
fn texts_that_are_no_proof_are_refused() {
    let header = base64url::encode(r#"{"typ":"dpop+jwt","alg":"ES256","alg":"ES256"}"#);
    for text in ["", "a", "a.b.c", "a.b.c.d", &format!("{header}.e30.AA")] {
        assert_eq!(judged(text, |_| {}), Err(DpopError::Malformed), "{text}");
    }
}
