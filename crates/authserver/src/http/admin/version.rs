//! `GET /version`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::http::{Shared, answer};

/// Which server this is.
#[utoipa::path(get, path = "/admin/version", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn version(State(authority): Shared) -> Response {
    let body = json!({"version": authority.options.version});
    answer::json(StatusCode::OK, answer::JSON, &body)
}
