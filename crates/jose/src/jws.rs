//! Signed tokens in their compact form (RFC 7515).
//!
//! The rules that keep forgeries out: sizes and parts are checked before anything is decoded; the
//! algorithm comes from the key and the header must agree; keys named inside a token (`jwk`, `jku`,
//! `x5c`, `x5u`) are never looked at; a critical header that is not understood is an error, and
//! none is; nor is anything encrypted or compressed.

use serde_json::{Map, Value};

use crate::{
    Algorithm, Jwk, JwkSet, KeyError, PrivateKey, SharedSecret, TokenError, base64url, json,
};

/// Longer tokens are refused unread. A token of ours has about one thousand characters.
pub const MAX_COMPACT_LENGTH: usize = 64 * 1024;

/// Longer headers are refused unread.
pub const MAX_HEADER_LENGTH: usize = 8 * 1024;

/// So many keys of a set are tried for one token.
const MAX_TRIES: usize = 16;

/// The header and the payload of a token.
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
    /// The length of the key's modulus in bytes, where it is an RSA key.
    pub rsa_bytes: Option<usize>,
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
/// gives, or any name when the header gives none; of those that fit, some are tried and the rest is
/// not: a token of a stranger is not worth a thousand signatures.
///
/// # Errors
/// When the text is no token, no key fits or the signature is wrong.
pub fn verify(compact: &str, keys: &JwkSet) -> Result<Verified, TokenError> {
    let opened = Opened::read(compact)?;
    let kid = opened.kid()?;
    let fits = |key: &&Jwk| kid.is_none_or(|kid| kid == key.kid());
    let signer = opened.signer(keys.keys().iter().filter(fits))?;
    opened.verified(signer)
}

/// Verifies a token against a key, whatever name the header gives.
///
/// # Errors
/// As [`verify`].
pub fn verify_by(compact: &str, key: &Jwk) -> Result<Verified, TokenError> {
    let opened = Opened::read(compact)?;
    let signer = opened.signer([key].into_iter())?;
    opened.verified(signer)
}

/// Verifies a token against a secret that its signer shares, whatever name the header gives.
///
/// # Errors
/// When the text is no token, its algorithm is none of those that are signed with a secret, or the
/// signature is wrong.
pub fn verify_shared(compact: &str, secret: &SharedSecret) -> Result<Decoded, TokenError> {
    let opened = Opened::read(compact)?;
    let algorithm = opened.algorithm().ok_or(TokenError::Algorithm)?;
    match secret.verifies(algorithm, opened.signed.as_bytes(), &opened.signature) {
        None => Err(TokenError::Algorithm),
        Some(false) => Err(TokenError::Signature),
        Some(true) => Ok(Decoded {
            payload: bytes(opened.payload)?,
            header: opened.header,
        }),
    }
}

/// A token that demands nothing that is not done here.
struct Opened<'a> {
    header: Map<String, Value>,
    payload: &'a str,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Opened<'a> {
    fn read(compact: &'a str) -> Result<Self, TokenError> {
        let parts = split(compact)?;
        let header = header(parts.header)?;
        if demands_more(&header) {
            return Err(TokenError::Critical);
        }
        Ok(Self {
            header,
            payload: parts.payload,
            signed: parts.signed,
            signature: bytes(parts.signature)?,
        })
    }

    fn algorithm(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }

    fn kid(&self) -> Result<Option<&str>, TokenError> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) => Ok(Some(kid.as_str())),
            Some(_) => Err(TokenError::NoKey),
        }
    }

    /// The key whose signature it is, and by which algorithm.
    fn signer<'k>(
        &self,
        keys: impl Iterator<Item = &'k Jwk>,
    ) -> Result<(Algorithm, &'k Jwk), TokenError> {
        let algorithm = self
            .algorithm()
            .and_then(|name| name.parse().ok())
            .ok_or(TokenError::Algorithm)?;
        let mut outcome = TokenError::NoKey;
        for key in keys.filter(|key| key.accepts(algorithm)).take(MAX_TRIES) {
            if key.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
                return Ok((algorithm, key));
            }
            outcome = TokenError::Signature;
        }
        Err(outcome)
    }

    fn verified(self, (algorithm, key): (Algorithm, &Jwk)) -> Result<Verified, TokenError> {
        Ok(Verified {
            payload: bytes(self.payload)?,
            header: self.header,
            algorithm,
            rsa_bytes: key.rsa_bytes(),
        })
    }
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
