//! `GET /admin/openapi.json`: what the admin port offers, in OpenAPI 3.1, made of the handlers when
//! they become routes.

use std::sync::Arc;

use axum::{Extension, http::StatusCode, response::Response};
use utoipa::openapi::{Info, OpenApi};

use crate::http::answer;

/// A description without paths, to which routes add themselves.
pub(super) fn begin(version: &str) -> OpenApi {
    let mut info = Info::new(
        "carnet: administration of the authorization server",
        version,
    );
    info.description = Some(
        "Clients, keys and tokens. The paths work without their prefix `/admin` too.".to_owned(),
    );
    OpenApi::new(info, utoipa::openapi::Paths::new())
}

/// The description of this API.
#[utoipa::path(get, path = "/admin/openapi.json", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn openapi(Extension(description): Extension<Arc<OpenApi>>) -> Response {
    answer::json(StatusCode::OK, answer::JSON, &*description)
}
