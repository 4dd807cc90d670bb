//! The descriptions of both ports in OpenAPI 3.1, made of the handlers when they become routes.

use std::sync::Arc;

use axum::{Extension, http::StatusCode, response::Response};
use utoipa::openapi::{Info, OpenApi, Paths};

use crate::http::answer;

/// A finished description, as its handler gets it.
pub(super) type Description = Extension<Arc<OpenApi>>;

/// A description without paths, to which routes add themselves.
pub(super) fn begin(title: &str, text: &str, version: &str) -> OpenApi {
    let mut info = Info::new(title, version);
    info.description = Some(text.to_owned());
    OpenApi::new(info, Paths::new())
}

/// The answer.
pub(super) fn shown(description: &OpenApi) -> Response {
    answer::json(StatusCode::OK, answer::JSON, description)
}
