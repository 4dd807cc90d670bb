//! `/health/alive` and `/health/ready`. The public port does not say what is wrong.

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::http::{Shared, answer};

/// The process answers.
#[utoipa::path(get, path = "/admin/health/alive", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn alive() -> Response {
    ok()
}

/// The database answers and there are keys to sign with.
#[utoipa::path(get, path = "/admin/health/ready", tag = "server", responses((status = 200, body = Object), (status = 503, body = Object, description = "What is missing")))]
pub(super) async fn ready(State(authority): Shared) -> Response {
    match authority.missing().await {
        None => ok(),
        Some((part, problem)) => unready(part, &problem),
    }
}

/// The process answers.
#[utoipa::path(get, path = "/health/alive", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn alive_in_public() -> Response {
    ok()
}

/// The database answers and there are keys to sign with.
#[utoipa::path(get, path = "/health/ready", tag = "server", responses((status = 200, body = Object), (status = 503, body = Object, description = "What is missing, without details")))]
pub(super) async fn ready_in_public(State(authority): Shared) -> Response {
    match authority.missing().await {
        None => ok(),
        Some((part, _)) => unready(part, "not ready"),
    }
}

fn ok() -> Response {
    answer::json(StatusCode::OK, answer::JSON, &json!({"status": "ok"}))
}

fn unready(part: &str, problem: &str) -> Response {
    let body = json!({"errors": {part: problem}});
    answer::json(StatusCode::SERVICE_UNAVAILABLE, answer::JSON, &body)
}
