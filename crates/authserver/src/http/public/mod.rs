//! The public port: whoever has credentials, or wants to read the public keys. A path that is not
//! there and a method that is not meant get the same page, but for the token endpoint.

mod discovery;
mod jwks;
mod openapi;
mod register;
mod revoke;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Extension, Router,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::{MethodRouter, any, get},
};
use carnet_oauth::{ErrorCode, client_auth::Basic};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{
    domain::{Authority, TokenError},
    http::{
        answer,
        edge::{Port, around},
        health, not_found,
    },
};

/// The routes.
pub(crate) fn router(authority: Arc<Authority>) -> Router {
    let (routes, description) =
        OpenApiRouter::with_openapi(openapi::begin(&authority.options.version))
            .routes(routes!(token::token).map(|route| {
                let route = route.options(nothing);
                route.fallback(not_found::wrong_method)
            }))
            .routes(routes!(revoke::revoke).map(open))
            .routes(routes!(jwks::jwks).map(open))
            .routes(routes!(discovery::openid).map(open))
            .routes(routes!(discovery::oauth).map(open))
            .routes(routes!(userinfo::get, userinfo::post).map(open))
            .routes(routes!(health::alive_in_public).map(closed))
            .routes(routes!(health::ready_in_public).map(closed))
            .routes(routes!(openapi::openapi).map(open))
            .split_for_parts();
    let routes = routes
        .route("/oauth2/register", any(register::refuse))
        .route("/oauth2/register/{id}", any(register::refuse));
    let routes = match discovery::path_of_issuer(&authority) {
        Some(path) => routes.route(&path, open(get(discovery::oauth))),
        None => routes,
    };
    let routes = routes
        .fallback(not_found::page)
        .layer(Extension(Arc::new(description)))
        .with_state(Arc::clone(&authority));
    around(routes, Port::Public, &authority.options)
}

type Route = MethodRouter<Arc<Authority>>;

/// A route that answers a preflight with nothing: no origin is allowed where that is
/// not switched on.
fn open(route: Route) -> Route {
    closed(route.options(nothing))
}

/// A route whose other methods are as if there were nothing.
fn closed(route: Route) -> Route {
    route.fallback(not_found::page)
}

async fn nothing() -> Response {
    answer::empty(StatusCode::OK)
}

/// The Basic header of a request. One that cannot be read counts as none; several are refused.
fn basic(headers: &HeaderMap) -> Result<Option<Basic>, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "There is more than one Authorization header.",
        ));
    }
    Ok(first.and_then(|value| Basic::parse(value.as_bytes())))
}
