//! What can go wrong, in the domain's own words; `http` gives each its status.

use std::{io, path::PathBuf, time::Duration};

use carnet_jose::KeyError;
use carnet_oauth::{Error as OauthError, ErrorCode};

use crate::{options::OptionsError, store::StoreError};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log cannot be opened.
    #[error("audit.file: {} cannot be written: {problem}", path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: io::Error,
    },
    /// A key in the store was sealed with a secret that is not at hand.
    #[error(
        "key {kid} of set {set} cannot be opened: none of secrets.system is the one it was sealed \
         with; put that one back behind the others"
    )]
    Sealed {
        /// The set.
        set: String,
        /// The key.
        kid: String,
    },
    /// A key in the store is none.
    #[error("key {kid} of set {set} cannot be used: {problem}")]
    Key {
        /// The set.
        set: String,
        /// The key.
        kid: String,
        /// What is wrong with it.
        problem: KeyError,
    },
    /// An option cannot be served.
    #[error(transparent)]
    Options(#[from] OptionsError),
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// The request is refused, with a code of RFC 6749.
    Refused(OauthError),
    /// A proof of possession needs this nonce (RFC 9449, section 8).
    Nonce(String),
    /// Too many failed authentications are waiting.
    Busy,
    /// The client has had enough; when it may come back.
    Limited(Duration),
    /// The store does not answer.
    Unavailable,
}

impl TokenError {
    /// A refusal.
    pub(crate) fn refused(code: ErrorCode, text: impl Into<String>) -> Self {
        Self::Refused(OauthError::new(code, text))
    }

    /// The server is broken; the reason was logged.
    pub(crate) fn internal() -> Self {
        Self::refused(
            ErrorCode::ServerError,
            "The server failed; its log says why.",
        )
    }
}

impl From<OauthError> for TokenError {
    fn from(error: OauthError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store failed");
        match error {
            StoreError::Unavailable(_) | StoreError::Dsn(_) => Self::Unavailable,
            StoreError::Damaged { .. } => Self::internal(),
        }
    }
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        tracing::error!(error = %error, "a key failed");
        Self::internal()
    }
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A client, or a key of a set.
    Resource,
    /// A whole key set.
    KeySet,
    /// A request of a person.
    Challenge,
}

/// Why an administrator's request fails.
#[derive(Debug)]
pub(crate) enum AdminError {
    /// It is not there.
    NotFound(Missing),
    /// One of that name is there already.
    Conflict,
    /// The body or a parameter cannot be read.
    Malformed(String),
    /// A member of a client is refused (RFC 7591).
    Metadata(String),
    /// A redirect URI of a client is refused (RFC 7591).
    RedirectUri(String),
    /// Keys of that algorithm are not made here.
    UnsupportedAlgorithm,
    /// A parameter is missing.
    Parameter(String),
    /// The token of a registered client is wrong.
    Unauthorized,
    /// A person took too long.
    Expired,
    /// A client may not do that to itself.
    Forbidden(String),
    /// What is asked for is switched off.
    Disabled(&'static str),
    /// A member of a trusted issuer is missing.
    Absent(String),
    /// The store does not answer.
    Unavailable,
    /// The server is broken; the reason was logged.
    Internal,
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store failed");
        match error {
            StoreError::Unavailable(_) | StoreError::Dsn(_) => Self::Unavailable,
            StoreError::Damaged { .. } => Self::Internal,
        }
    }
}

impl From<KeyError> for AdminError {
    fn from(error: KeyError) -> Self {
        tracing::error!(error = %error, "a key failed");
        Self::Internal
    }
}
