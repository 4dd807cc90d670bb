//! Claims (RFC 7519): a signed JSON object and its times. What a claim means is the caller's
//! affair; only the types of the registered times are checked here, because a time that is no
//! number must not read as no time at all.

use serde_json::{Map, Number, Value};

use crate::{JwkSet, TokenError, json, jws};

/// The claims of a token.
pub type Claims = Map<String, Value>;

/// Verifies a token and reads its claims.
///
/// # Errors
/// As [`jws::verify`], and when the payload is no JSON object or a time in it is no number.
pub fn verify(compact: &str, keys: &JwkSet) -> Result<Claims, TokenError> {
    let verified = jws::verify(compact, keys)?;
    claims(&verified.payload)
}

/// Reads the claims of a payload.
///
/// # Errors
/// When the payload is no JSON object or a time in it is no number.
pub fn claims(payload: &[u8]) -> Result<Claims, TokenError> {
    let claims = json::parse_object(payload).map_err(|_| TokenError::Json)?;
    for name in ["exp", "nbf", "iat"] {
        if claims.contains_key(name) && time(&claims, name).is_none() {
            return Err(TokenError::Json);
        }
    }
    Ok(claims)
}

/// A time in whole seconds since 1970.
#[must_use]
pub fn time(claims: &Claims, name: &str) -> Option<i64> {
    seconds(claims.get(name)?.as_number()?)
}

/// Fractions are allowed (RFC 7519, section 2); whole seconds are enough to compare.
pub(crate) fn seconds(number: &Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    number.as_i64().or_else(|| {
        number
            .as_f64()
            .filter(|time| time.abs() < 1e15)
            .map(|time| time.floor() as i64)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds JW-07.
    #[test]
    fn a_time_that_is_no_number_is_refused_not_ignored() {
        assert_eq!(time(&claims(br#"{"exp":99}"#).unwrap(), "exp"), Some(99));
        assert_eq!(time(&claims(br#"{"exp":99.5}"#).unwrap(), "exp"), Some(99));
        for text in [
            r#"{"exp":"99"}"#,
            r#"{"nbf":"x"}"#,
            r#"{"iat":null}"#,
            r#"{"exp":[]}"#,
            r#"{"exp":1e400}"#,
            r#"{"exp":1e300}"#,
        ] {
            assert_eq!(claims(text.as_bytes()), Err(TokenError::Json), "{text}");
        }
    }
}
