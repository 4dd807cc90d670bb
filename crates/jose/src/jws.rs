//! Signed tokens in their compact form (RFC 7515).
//!
//! The rules that keep forgeries out: sizes and parts are checked before anything is decoded; the
//! algorithm comes from the key and the header must agree; keys named inside a token (`jwk`, `jku`,
//! `x5c`, `x5u`) are never looked at; a critical header that is not understood is an error, and
//! none is; nor is anything encrypted or compressed.

use serde_json::{Map, Value};

use crate::{Algorithm, JwkSet, KeyError, PrivateKey, TokenError, base64url, json};

/// Longer tokens are refused unread. A token of ours has about one thousand characters.
pub const MAX_COMPACT_LENGTH: usize = 64 * 1024;

/// Longer headers are refused unread.
pub const MAX_HEADER_LENGTH: usize = 8 * 1024;

/// A token, read but not verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The signed bytes.
    pub payload: Vec<u8>,
}

/// A token whose signature is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The algorithm of the signature.
    pub algorithm: Algorithm,
}

/// Signs a payload. The header is JSON, ready made: it is the same for every token of a key.
///
/// # Errors
/// When the crypto library fails.
pub fn sign_compact(key: &PrivateKey, header: &str, payload: &[u8]) -> Result<String, KeyError> {
    let mut compact = String::with_capacity((header.len() + payload.len() + 512) * 4 / 3);
    base64url::encode_into(header, &mut compact);
    compact.push('.');
    base64url::encode_into(payload, &mut compact);
    let signature = key.sign(compact.as_bytes())?;
    compact.push('.');
    base64url::encode_into(signature, &mut compact);
    Ok(compact)
}

/// Reads a token without asking who signed it.
///
/// # Errors
/// When the text is no token.
pub fn decode_unverified(compact: &str) -> Result<Decoded, TokenError> {
    let parts = split(compact)?;
    Ok(Decoded {
        header: header(parts.header)?,
        payload: bytes(parts.payload)?,
    })
}

/// Verifies a token against the keys of a set. A key is tried when it has the name that the header
/// gives, or any name when the header gives none.
///
/// # Errors
/// When the text is no token, no key fits or the signature is wrong.
pub fn verify(compact: &str, keys: &JwkSet) -> Result<Verified, TokenError> {
    let parts = split(compact)?;
    let header = header(parts.header)?;
    if demands_more(&header) {
        return Err(TokenError::Critical);
    }
    let algorithm = header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(|name| name.parse().ok())
        .ok_or(TokenError::Algorithm)?;
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.as_str()),
        Some(_) => return Err(TokenError::NoKey),
    };
    let signature = bytes(parts.signature)?;
    let mut outcome = TokenError::NoKey;
    for key in keys.keys() {
        if kid.is_some_and(|kid| kid != key.kid()) || !key.accepts(algorithm) {
            continue;
        }
        if key.verifies(algorithm, parts.signed.as_bytes(), &signature) {
            let payload = bytes(parts.payload)?;
            return Ok(Verified {
                header,
                payload,
                algorithm,
            });
        }
        outcome = TokenError::Signature;
    }
    Err(outcome)
}

/// Whether a header says that its token is more than signed text (RFC 7515, sections 4.1.11 and 9;
/// RFC 7797).
fn demands_more(header: &Map<String, Value>) -> bool {
    let is_named = |name: &&str| header.contains_key(*name);
    ["crit", "enc", "zip"].iter().any(is_named)
        || header
            .get("b64")
            .is_some_and(|b64| b64 != &Value::Bool(true))
}

struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// Header and payload with the dot between them.
    signed: &'a str,
}

fn split(compact: &str) -> Result<Parts<'_>, TokenError> {
    if compact.len() > MAX_COMPACT_LENGTH {
        return Err(TokenError::TooLong);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(TokenError::Parts)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Parts)?;
    if payload.contains('.') {
        return Err(TokenError::Parts);
    }
    if header.len() > MAX_HEADER_LENGTH {
        return Err(TokenError::TooLong);
    }
    Ok(Parts {
        header,
        payload,
        signature,
        signed,
    })
}

fn header(encoded: &str) -> Result<Map<String, Value>, TokenError> {
    json::parse_object(&bytes(encoded)?).map_err(|_| TokenError::Json)
}

fn bytes(encoded: &str) -> Result<Vec<u8>, TokenError> {
    base64url::decode(encoded).ok_or(TokenError::Base64)
}
