//! One call of a token endpoint, as an object: tests script it, the gateway sends it over
//! `upstream`.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use secrecy::SecretString;

/// Larger answers are no token answers.
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;

/// A token endpoint that can be called. Its URL and TLS options are its own affair.
pub(crate) trait TokenEndpoint: Send + Sync {
    /// Sends one POST and reads the whole answer. Follows no redirect and repeats nothing; who
    /// drops the future cancels the call.
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>>;
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Value of `Authorization`, when the client shows itself there.
    pub(crate) authorization: Option<SecretString>,
    /// The body, a form.
    pub(crate) form: SecretString,
}

/// Why a call brought no answer. The texts are for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallFailure {
    /// No connection, or one that broke: another attempt may succeed.
    Transport(String),
    /// A limit of time below the exchange's own ended it.
    TimedOut,
    /// No HTTP, or more than [`MAX_ANSWER`].
    Garbled(String),
}
