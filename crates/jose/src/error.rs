//! Why a key or a token was refused.

/// A key that cannot be read, made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is not JSON, or not an object.
    #[error("the key is no JSON object: {0}")]
    Json(String),
    /// A member is absent or has the wrong form.
    #[error("member {0:?} of the key is missing or malformed")]
    Member(&'static str),
    /// A key type, curve or algorithm that is not supported.
    #[error("key type, curve or algorithm {0:?} is not supported")]
    Unsupported(String),
    /// The algorithm is for another type of key.
    #[error("algorithm {0} does not fit the key")]
    WrongAlgorithm(&'static str),
    /// The members contradict each other, or the key is too weak.
    #[error("the key is inconsistent or too weak")]
    Rejected,
    /// The crypto library failed.
    #[error("the key could not be made or used")]
    Crypto,
}

/// A token that is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token of ours.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts.
    #[error("the token does not have three parts")]
    Parts,
    /// Not strict base64url.
    #[error("the token is not base64url")]
    Base64,
    /// The header or the claims are no JSON object, or name a member twice.
    #[error("the token is not a JSON object without repeated members")]
    Json,
    /// No algorithm, or one that is not accepted (`none` and the symmetric ones among them).
    #[error("the token's algorithm is missing or not accepted")]
    Algorithm,
    /// A header that must be understood and is not.
    #[error("the token's header has a member that must be understood and is not")]
    Critical,
    /// No key fits.
    #[error("no key fits the token")]
    NoKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
}
