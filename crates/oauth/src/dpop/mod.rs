//! Proofs that a key is at hand (DPoP, RFC 9449): a JWT for one request, which the key that it names
//! signed. All checks of section 4.3 are here but one: whether a proof was used before, whoever has
//! a memory knows ([`Proven::name`]).
//!
//! [`only`] takes the one header of a request, [`verify`] judges what is in it. What a server hands
//! out so that proofs cannot be made ahead is in [`nonces`].

mod nonces;
#[cfg(test)]
mod tests;
mod uri;

pub use nonces::Nonces;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::{Algorithm, Jwk, JwkSet, base64url, jws, jwt};
use serde_json::{Map, Value};

/// The header that carries a proof.
pub const HEADER: &str = "dpop";

/// The header by which a server hands out a nonce.
pub const NONCE_HEADER: &str = "dpop-nonce";

/// A proof may be so many seconds old.
pub const PAST: i64 = 60;

/// Clocks may differ by so many seconds.
pub const AHEAD: i64 = 10;

/// A longer name is no honest one.
const MAX_JTI_LENGTH: usize = 256;

/// The members of a key that nobody else may see (RFC 7518, RFC 8037, RFC 9964).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// What a proof must agree with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The addresses under which the request may have been sent. Queries and fragments do not count.
    pub uris: &'a [String],
    /// The access token beside the proof, where there is one.
    pub access_token: Option<&'a str>,
    /// Whose nonces count; without any, a nonce is not looked at.
    pub nonces: Option<&'a Nonces>,
    /// Whether there must be a nonce.
    pub needs_nonce: bool,
    /// In seconds since 1970.
    pub now: i64,
}

/// A proof that is right, unless it was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The thumbprint of the key (RFC 7638): `jkt`.
    pub thumbprint: String,
    /// By what its use is remembered: a digest of 43 characters, of this key's proof alone.
    pub name: String,
    /// Until when its use must be remembered, in seconds since 1970.
    pub until: i64,
    /// The nonce that the next proof is to have, where that of this one is not the newest.
    pub next_nonce: Option<String>,
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// The header is there more than once.
    #[error("There is more than one DPoP header.")]
    Several,
    /// It is no JWT.
    #[error("The DPoP proof is no JWT.")]
    Malformed,
    /// `typ` is another.
    #[error("The DPoP proof has not the type 'dpop+jwt'.")]
    Type,
    /// `alg` is missing, symmetric or unknown.
    #[error("The DPoP proof is signed by an algorithm that is not taken.")]
    Algorithm,
    /// `jwk` is missing, no key that can be used, or has private members.
    #[error("The DPoP proof names no public key that can be used.")]
    Key,
    /// The signature is not that key's.
    #[error("The signature of the DPoP proof is wrong.")]
    Signature,
    /// `htm` is another.
    #[error("The DPoP proof is for another method.")]
    Method,
    /// `htu` is another.
    #[error("The DPoP proof is for another address.")]
    Uri,
    /// `iat` is missing, too old or ahead.
    #[error("The DPoP proof was made too long ago, or in the future.")]
    Time,
    /// `jti` is missing or too long.
    #[error("The DPoP proof has no 'jti' that can be used.")]
    Jti,
    /// `ath` is missing, or of another token.
    #[error("The DPoP proof is for another access token.")]
    Token,
    /// `nonce` is missing, or none that counts now.
    #[error("The DPoP proof needs a nonce of this server.")]
    Nonce,
}

/// The proof of a request, of the values of its DPoP headers.
///
/// # Errors
/// When there are several, or one that is no text.
pub fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a str>, DpopError> {
    let first = values.next();
    if values.next().is_some() {
        return Err(DpopError::Several);
    }
    first
        .map(|value| str::from_utf8(value).map_err(|_| DpopError::Malformed))
        .transpose()
}

/// Judges a proof (RFC 9449, section 4.3, from 2 to 11).
///
/// # Errors
/// The first of these checks that fails.
pub fn verify(proof: &str, expected: &Expected<'_>) -> Result<Proven, DpopError> {
    let decoded = jws::decode_unverified(proof).map_err(|_| DpopError::Malformed)?;
    let key = key(&decoded.header)?;
    let thumbprint = key.thumbprint();
    let keys = JwkSet::new(vec![key]);
    let verified = jws::verify(proof, &keys).map_err(|_| DpopError::Signature)?;
    let claims = jwt::claims(&verified.payload).map_err(|_| DpopError::Malformed)?;
    if text(&claims, "htm") != Some(expected.method) {
        return Err(DpopError::Method);
    }
    let sent_to = text(&claims, "htu").and_then(uri::normal);
    let is_sent_here = |known: &String| sent_to.is_some() && uri::normal(known) == sent_to;
    if !expected.uris.iter().any(is_sent_here) {
        return Err(DpopError::Uri);
    }
    let made = jwt::time(&claims, "iat").ok_or(DpopError::Time)?;
    let is_recent = made >= expected.now.saturating_sub(PAST);
    if !is_recent || made > expected.now.saturating_add(AHEAD) {
        return Err(DpopError::Time);
    }
    let jti = text(&claims, "jti").filter(|jti| (1..=MAX_JTI_LENGTH).contains(&jti.len()));
    let jti = jti.ok_or(DpopError::Jti)?;
    if let Some(token) = expected.access_token
        && text(&claims, "ath") != Some(&base64url::encode(digest(&SHA256, token.as_bytes())))
    {
        return Err(DpopError::Token);
    }
    let next_nonce = check_nonce(&claims, expected)?;
    let name = format!("dpop:{thumbprint}:{jti}");
    Ok(Proven {
        name: base64url::encode(digest(&SHA256, name.as_bytes())),
        thumbprint,
        // Whoever remembers may have another clock.
        until: made.saturating_add(PAST + AHEAD),
        next_nonce,
    })
}

/// The key that a proof names, bound to the algorithm that it names.
fn key(header: &Map<String, Value>) -> Result<Jwk, DpopError> {
    if text(header, "typ") != Some("dpop+jwt") {
        return Err(DpopError::Type);
    }
    let algorithm = text(header, "alg").and_then(|name| name.parse::<Algorithm>().ok());
    let algorithm = algorithm.ok_or(DpopError::Algorithm)?;
    let Some(Value::Object(members)) = header.get("jwk") else {
        return Err(DpopError::Key);
    };
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return Err(DpopError::Key);
    }
    let mut members = members.clone();
    // A name in the header would otherwise have to be the key's.
    members.shift_remove("kid");
    if let Some(kid) = header.get("kid") {
        members.insert("kid".to_owned(), kid.clone());
    }
    let key = Jwk::from_object(&members).map_err(|_| DpopError::Key)?;
    match key.accepts(algorithm) {
        true => Ok(key),
        false => Err(DpopError::Key),
    }
}

/// Looks at the nonce, and tells the next one.
fn check_nonce(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Option<String>, DpopError> {
    let Some(nonces) = expected.nonces else {
        return Ok(None);
    };
    match claims.get("nonce") {
        None if !expected.needs_nonce => Ok(None),
        Some(Value::String(nonce)) if nonces.accepts(nonce, expected.now) => {
            Ok(nonces.after(nonce, expected.now))
        }
        _ => Err(DpopError::Nonce),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
