//! Client assertions, signed while a scenario is played. Its clients are registered with the keys
//! that are made here, once for a run.

use std::sync::OnceLock;

use aws_lc_rs::hmac;
use carnet_jose::{Algorithm, PrivateKey, RsaBits, base64url, jws};
use serde_json::{Map, Value};

use crate::scenario::{Assertion, Signer};

/// The keys of a run.
#[derive(Debug)]
struct Keys {
    registered: PrivateKey,
    other: PrivateKey,
}

/// The members of the registered key that a scenario leaves open.
pub(super) fn registered_members() -> Result<Map<String, Value>, String> {
    let members = keys()?.registered.public_jwk().to_object();
    let is_open = |name: &str| matches!(name, "n" | "e");
    Ok(members
        .into_iter()
        .filter(|(name, _)| is_open(name))
        .collect())
}

/// The text of an assertion. `now` is in seconds since 1970.
pub(super) fn made(assertion: &Assertion, now: i64) -> Result<String, String> {
    let mut claims = assertion.claims.clone();
    for (_, claim) in &mut claims {
        if let Some(value) = resolved(claim, now) {
            *claim = value;
        }
    }
    let header = Value::Object(assertion.header.clone()).to_string();
    let claims = Value::Object(claims).to_string();
    let algorithm = assertion.header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm.ok_or("an assertion needs an algorithm")?;
    let failed = |error: carnet_jose::KeyError| error.to_string();
    match (assertion.signed_by, algorithm.parse::<Algorithm>()) {
        (Signer::Registered, _) => {
            jws::sign_compact(&keys()?.registered, &header, claims.as_bytes()).map_err(failed)
        }
        (Signer::Other, Ok(Algorithm::Rs256)) => {
            jws::sign_compact(&keys()?.other, &header, claims.as_bytes()).map_err(failed)
        }
        (Signer::Other, Ok(other)) => {
            let key = PrivateKey::generate(other, RsaBits::B2048, "").map_err(failed)?;
            jws::sign_compact(&key, &header, claims.as_bytes()).map_err(failed)
        }
        // The old trick: the public key's text as the secret of a symmetric algorithm.
        (Signer::Other, Err(_)) => {
            let public = Value::Object(keys()?.registered.public_jwk().to_object()).to_string();
            let signed = format!(
                "{}.{}",
                base64url::encode(header),
                base64url::encode(claims)
            );
            let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
            let mac = base64url::encode(hmac::sign(&key, signed.as_bytes()));
            Ok(format!("{signed}.{mac}"))
        }
    }
}

/// `now`, `now+60`, `now-60`: a time; `fresh`: a text that was not there before.
fn resolved(claim: &Value, now: i64) -> Option<Value> {
    let text = claim.as_str()?;
    if text == "fresh" {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        return Some(base64url::encode(bytes).into());
    }
    let distance = text.strip_prefix("now")?;
    let distance = if distance.is_empty() {
        0
    } else {
        distance.parse::<i64>().ok()?
    };
    Some((now + distance).into())
}

fn keys() -> Result<&'static Keys, String> {
    static KEYS: OnceLock<Result<Keys, String>> = OnceLock::new();
    let made = KEYS.get_or_init(|| {
        let key = || PrivateKey::generate(Algorithm::Rs256, RsaBits::B2048, "k1");
        let failed = |error: carnet_jose::KeyError| error.to_string();
        Ok(Keys {
            registered: key().map_err(failed)?,
            other: key().map_err(failed)?,
        })
    });
    made.as_ref().map_err(Clone::clone)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_jose::{Jwk, JwkSet};
    use serde_json::json;

    use super::*;

    fn assertion(value: Value) -> Assertion {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_assertion_is_signed_by_the_key_that_was_registered_unless_it_must_not_be() {
        let mut members = registered_members().unwrap();
        members.insert("kty".to_owned(), json!("RSA"));
        let keys = JwkSet::new(vec![Jwk::from_object(&members).unwrap()]);
        let claims = json!({"exp": "now+60", "iat": "now", "jti": "fresh", "aud": "x"});
        for (alg, signer, expected) in [
            ("RS256", "registered", true),
            ("RS256", "other", false),
            ("ES256", "other", false),
            ("HS256", "other", false),
        ] {
            let made = made(
                &assertion(json!({"header": {"alg": alg}, "claims": claims, "signed_by": signer})),
                100,
            )
            .unwrap();
            assert_eq!(
                jws::verify(&made, &keys).is_ok(),
                expected,
                "{alg} {signer}"
            );
            let decoded = jws::decode_unverified(&made).unwrap();
            let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
            assert_eq!((&claims["exp"], &claims["iat"]), (&json!(160), &json!(100)));
            assert_eq!(claims["aud"], "x");
            assert_ne!(claims["jti"], "fresh");
        }
    }
}
