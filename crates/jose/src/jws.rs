//! Signed tokens in their compact form (RFC 7515).
//!
//! The rules that keep forgeries out: sizes and parts are checked before anything is decoded; the
//! algorithm comes from the key and the header must agree; keys named inside a token (`jwk`, `jku`,
//! `x5c`, `x5u`) are never looked at; a critical header that is not understood is an error, and
//! none is; nor is anything encrypted or compressed.

use serde_json::{Map, Value};

use crate::header::Header;
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

/// Verifies a token against the keys of a set, as [`Opened::signed_by`] does.
///
/// # Errors
/// When the text is no token, no key fits or the signature is wrong.
pub fn verify(compact: &str, keys: &JwkSet) -> Result<Verified, TokenError> {
    let opened = Opened::read(compact)?;
    let (algorithm, _) = opened.signed_by(keys)?;
    Ok(Verified {
        header: header(split(compact)?.header)?,
        payload: opened.payload()?,
        algorithm,
    })
}

/// A token that demands nothing that is not done here. Who signed it was not asked yet.
#[derive(Debug)]
pub struct Opened<'a> {
    header: Header,
    payload: &'a str,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Opened<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// When the text is no token, or one that is more than signed text.
    pub fn read(compact: &'a str) -> Result<Self, TokenError> {
        let parts = split(compact)?;
        let header = base64url::read(parts.header, Header::read).ok_or(TokenError::Base64)??;
        if header.demands_more {
            return Err(TokenError::Critical);
        }
        Ok(Self {
            header,
            payload: parts.payload,
            signed: parts.signed,
            signature: bytes(parts.signature)?,
        })
    }

    /// The name of its key; `None` where there is none.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_ref()?.as_deref().ok()
    }

    /// What its header says that it is (`typ`); empty where that is no text.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.header.kind.as_deref()
    }

    /// The signed bytes.
    ///
    /// # Errors
    /// When they are no base64url.
    pub fn payload(&self) -> Result<Vec<u8>, TokenError> {
        bytes(self.payload)
    }

    /// The key of a set whose signature it is, and by which algorithm. A key is tried when it has the
    /// name that the header gives, or any name when the header gives none; of those that fit, some
    /// are tried and the rest is not: a token of a stranger is not worth a thousand signatures.
    ///
    /// # Errors
    /// When no key fits or the signature is wrong.
    pub fn signed_by<'k>(&self, keys: &'k JwkSet) -> Result<(Algorithm, &'k Jwk), TokenError> {
        let kid = match &self.header.kid {
            Some(Err(())) => return Err(TokenError::NoKey),
            kid => kid.as_ref().and_then(|kid| kid.as_deref().ok()),
        };
        let fits = |key: &&Jwk| kid.is_none_or(|kid| kid == key.kid());
        self.signed_by_one_of(keys.keys().iter().filter(fits))
    }

    /// The same of one key, whatever name the header gives.
    ///
    /// # Errors
    /// When the key does not fit or the signature is wrong.
    pub fn signed_by_key<'k>(&self, key: &'k Jwk) -> Result<(Algorithm, &'k Jwk), TokenError> {
        self.signed_by_one_of([key].into_iter())
    }

    /// Verifies the signature against a secret that its signer shares, whatever name the header gives.
    ///
    /// # Errors
    /// When its algorithm is none of those that are signed with a secret, or the signature is wrong.
    pub fn signed_with(&self, secret: &SharedSecret) -> Result<(), TokenError> {
        let Some(Err(algorithm)) = &self.header.algorithm else {
            return Err(TokenError::Algorithm);
        };
        match secret.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
            None => Err(TokenError::Algorithm),
            Some(false) => Err(TokenError::Signature),
            Some(true) => Ok(()),
        }
    }

    fn signed_by_one_of<'k>(
        &self,
        keys: impl Iterator<Item = &'k Jwk>,
    ) -> Result<(Algorithm, &'k Jwk), TokenError> {
        let Some(Ok(algorithm)) = self.header.algorithm else {
            return Err(TokenError::Algorithm);
        };
        let mut outcome = TokenError::NoKey;
        for key in keys.filter(|key| key.accepts(algorithm)).take(MAX_TRIES) {
            if key.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
                return Ok((algorithm, key));
            }
            outcome = TokenError::Signature;
        }
        Err(outcome)
    }
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
