//! Why there is no token.

use std::time::Duration;

use crate::jwks;

/// What kept a provider from giving a token. The texts are for the log: they carry statuses and
/// codes, never a secret, a token or a whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// Refused connections, failing names or TLS, 5xx or 429 until the retries ran out, or a
    /// provider that nobody calls because it is down.
    #[error("the token endpoint cannot be used: {cause}")]
    Unavailable {
        /// What happened at the last attempt.
        cause: String,
        /// What the provider asked for, or a second.
        retry_after: Duration,
        /// Whether the provider asked for it.
        is_asked: bool,
    },
    /// As many requests wait for a token as may.
    #[error("too many requests wait for a token")]
    Busy,
    /// The time for the whole exchange is over.
    #[error("the token endpoint did not answer in time")]
    TimedOut,
    /// A redirect, or something that is no token answer.
    #[error("the token endpoint did not answer with a token: {0}")]
    NoToken(String),
    /// There are no keys to verify it with; told by who fetches them.
    #[error("the keys to verify tokens cannot be fetched")]
    Unverifiable,
    /// `invalid_client` or 401, by both methods.
    #[error("the token endpoint does not accept the client: {0}")]
    InvalidClient(String),
    /// The caller's token counts for nothing there.
    #[error("the token endpoint does not take the caller's token: {0}")]
    InvalidSubject(String),
    /// The caller's token counts, and does not reach so far.
    #[error("the token endpoint gives no such token in the place of the caller's: {0}")]
    Forbidden(String),
    /// Any other 4xx: the client is known and gets no such token.
    #[error("the token endpoint does not give this client such a token: {0}")]
    Denied(String),
}

impl TokenFault {
    /// How long to wait when the provider says nothing about it.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// A provider that cannot be used for now; `asked`: for how long it wants to be left alone.
    pub(super) fn unavailable(cause: impl Into<String>, asked: Option<Duration>) -> Self {
        Self::Unavailable {
            cause: cause.into(),
            retry_after: asked.unwrap_or(Self::RETRY_AFTER),
            is_asked: asked.is_some(),
        }
    }

    /// The same with as much of the wait as is left.
    pub(super) fn with_patience(&self, left: Duration) -> Self {
        match self {
            Self::Unavailable {
                cause, is_asked, ..
            } => Self::Unavailable {
                cause: cause.clone(),
                retry_after: left,
                is_asked: *is_asked,
            },
            other => other.clone(),
        }
    }

    /// Whether the provider, asked, said no: the client is nobody to it, or gets no such token.
    pub(super) fn is_refusal(&self) -> bool {
        self.is_of_the_caller() || matches!(self, Self::Denied(_))
    }

    /// Whether it is about what this very caller showed: the same again gets the same answer.
    pub(super) fn is_of_the_caller(&self) -> bool {
        matches!(
            self,
            Self::InvalidClient(_) | Self::InvalidSubject(_) | Self::Forbidden(_)
        )
    }

    /// When another request may do better, where that is a matter of time.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::Busy => Some(Self::RETRY_AFTER),
            Self::Unverifiable => Some(jwks::PAUSE),
            Self::TimedOut
            | Self::NoToken(_)
            | Self::InvalidClient(_)
            | Self::InvalidSubject(_)
            | Self::Forbidden(_)
            | Self::Denied(_) => None,
        }
    }
}
