//! How a page answers: on to Hydra, or a plain sentence that says what went wrong.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};

/// Sends the browser on.
pub(crate) struct Redirect(pub(crate) HeaderValue);

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (StatusCode::FOUND, [(LOCATION, self.0), no_store]).into_response()
    }
}

/// Why the browser stays here. The challenge is never named: whoever has it can go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0} is missing: this page is opened by the authorization server, not by hand")]
    NoChallenge(String),
    #[error("the admin API cannot be reached: {0}")]
    Unreachable(String),
    #[error("the admin API did not answer in time")]
    Late,
    #[error("the admin API answered {status} to {call}")]
    Refused { status: StatusCode, call: String },
    #[error("the answer of the admin API to {call} cannot be understood: {cause}")]
    Garbled { call: String, cause: String },
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoChallenge(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::warn!(cause = %self, "request not accepted");
        }
        (status, format!("{self}\n")).into_response()
    }
}
