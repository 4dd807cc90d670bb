//! `GET /admin/openapi.json`: what the admin port offers.

use axum::response::Response;
use utoipa::openapi::OpenApi;

use crate::http::openapi::{self, Description};

/// The description before its paths.
pub(super) fn begin(version: &str) -> OpenApi {
    openapi::begin(
        "carnet: administration of the authorization server",
        "Clients, keys and tokens. The paths work without their prefix `/admin` too.",
        version,
    )
}

/// The description of this API.
#[utoipa::path(get, path = "/admin/openapi.json", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn openapi(description: Description) -> Response {
    openapi::shown(&description)
}
