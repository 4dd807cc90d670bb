//! `GET /.well-known/jwks.json`: the public keys, old ones too, so that old tokens can be verified.

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::http::{Shared, answer, error::AdminFailure};

/// The public keys.
pub(super) async fn jwks(State(authority): Shared) -> Result<Response, AdminFailure> {
    let keys = authority.jwks().await?;
    Ok(answer::json(
        StatusCode::OK,
        answer::JSON,
        &json!({"keys": keys}),
    ))
}
