//! `GET /.well-known/jwks.json`: the public keys, old ones too, so that old tokens can be verified.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::{
    Shared, answer,
    error::{AdminFailure, Failed},
};

/// Public keys (RFC 7517, section 5).
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Jwks {
    /// The newest of each set first.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Map<String, Value>>,
}

/// The public keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "discovery", responses((status = 200, body = Jwks), Failed))]
pub(super) async fn jwks(State(authority): Shared) -> Result<Response, AdminFailure> {
    let keys = authority.jwks().await?;
    Ok(answer::json(StatusCode::OK, answer::JSON, &Jwks { keys }))
}
