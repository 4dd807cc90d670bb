//! `GET /openapi.json`: what the public port offers, and the ways in which its callers say who they
//! are.

use axum::response::Response;
use utoipa::openapi::{
    ComponentsBuilder, OpenApi,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::http::openapi::{self, Description};

/// The description before its paths.
pub(super) fn begin(version: &str) -> OpenApi {
    let mut description = openapi::begin(
        "carnet: authorization server",
        "Tokens, their revocation, and what verifies them.",
        version,
    );
    let scheme = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
    description.components = Some(
        ComponentsBuilder::new()
            .security_scheme("basic", scheme(HttpAuthScheme::Basic))
            .security_scheme("bearer", scheme(HttpAuthScheme::Bearer))
            .build(),
    );
    description
}

/// The description of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "server", responses((status = 200, body = Object)))]
pub(super) async fn openapi(description: Description) -> Response {
    openapi::shown(&description)
}
