//! What an ID token must say beside what every token must, at a login (OpenID Connect Core, section
//! 3.1.3.7) and at a renewal (section 12.2). Errors are sentences for the log and hold nothing of it.

use carnet_jose::half_hash;
use carnet_jose::jwt::{self, Claims};
use serde_json::Value;

use super::provider::LEEWAY;
use crate::jwks::Believed;

/// The claims of a token that was signed and timed as it should be, where it is for this client and
/// came with this access token.
pub(super) fn claims(
    believed: &Believed,
    client: &str,
    access_token: &str,
) -> Result<Claims, &'static str> {
    let (claims, algorithm) = (believed.claims(), believed.algorithm);
    let has_several =
        matches!(claims.get("aud"), Some(Value::Array(audience)) if audience.len() > 1);
    match claims.get("azp") {
        None if has_several => return Err("the token is for several and names no party"),
        Some(party) if party.as_str() != Some(client) => {
            return Err("the token was given to another party");
        }
        _ => {}
    }
    if text(&claims, "sub").is_none_or(str::is_empty) {
        return Err("the token names nobody");
    }
    // Section 3.1.3.8. A provider need not say it, and what it says is true.
    if let Some(said) = claims.get("at_hash") {
        let own = algorithm.map(|algorithm| half_hash(algorithm, access_token));
        if own.is_none() || said.as_str() != own.as_deref() {
            return Err("the token came with another access token than the one it names");
        }
    }
    Ok(claims)
}

/// Whether it is the answer to the login that had this nonce.
pub(super) fn is_of(claims: &Claims, nonce: &str) -> Result<(), &'static str> {
    match text(claims, "nonce") == Some(nonce) {
        true => Ok(()),
        false => Err("the token is not that of this login"),
    }
}

/// Whether its person has shown who it is as lately as was asked for (`max_age`), at this moment, in
/// seconds since 1970.
pub(super) fn is_fresh(
    claims: &Claims,
    max_age: Option<&String>,
    now: i64,
) -> Result<(), &'static str> {
    let Some(max_age) = max_age.and_then(|text| text.trim().parse::<i64>().ok()) else {
        return Ok(());
    };
    let Some(shown) = jwt::time(claims, "auth_time") else {
        return Err("the token does not say when its person logged in, as `max_age` asks for");
    };
    match now.saturating_sub(shown) <= max_age.saturating_add(LEEWAY) {
        true => Ok(()),
        false => Err("its person logged in longer ago than `max_age` allows"),
    }
}

/// Whether a token of a renewal is of the same person and login as the one before.
pub(super) fn is_same(before: &Claims, after: &Claims) -> Result<(), &'static str> {
    let is_same = |name: &str| before.get(name) == after.get(name);
    let has_both = |name: &str| before.contains_key(name) && after.contains_key(name);
    if !is_same("sub") || !is_same("iss") {
        return Err("the token of a renewal is somebody else's");
    }
    if has_both("nonce") && !is_same("nonce") {
        return Err("the token of a renewal is that of another login");
    }
    let shown = |claims| jwt::time(claims, "auth_time");
    match has_both("auth_time") && shown(before) != shown(after) {
        true => Err("the token of a renewal says that its person logged in at another time"),
        false => Ok(()),
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
