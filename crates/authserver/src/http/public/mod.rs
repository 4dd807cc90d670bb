//! The public port: whoever has credentials, or wants to read the public keys. A path that is not
//! there and a method that is not meant get the same page, but for the token endpoint.

mod auth;
mod device;
mod discovery;
mod fallbacks;
mod jwks;
mod logout;
mod openapi;
mod register;
mod revoke;
mod status;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::{MethodRouter, get},
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
        edge::{Edge, Port},
        health,
        metrics::{Endpoints, Metrics},
        not_found,
        openapi::Slot,
    },
};

/// The routes, and what surrounds them.
pub(crate) fn edge(authority: Arc<Authority>, metrics: Arc<Metrics>) -> Edge {
    let described = Slot::default();
    let (routes, description) =
        OpenApiRouter::with_openapi(openapi::begin(&authority.options.version))
            .routes(routes!(token::token).map(|route| {
                let route = route.options(nothing);
                route.fallback(not_found::wrong_method)
            }))
            .routes(routes!(revoke::revoke).map(open))
            .routes(routes!(auth::get, auth::post).map(closed))
            .routes(routes!(logout::get, logout::post).map(closed))
            .routes(routes!(fallbacks::login).map(closed))
            .routes(routes!(fallbacks::consent).map(closed))
            .routes(routes!(fallbacks::logout).map(closed))
            .routes(routes!(fallbacks::logged_out).map(closed))
            .routes(routes!(fallbacks::error).map(closed))
            .routes(routes!(device::authorize).map(closed))
            .routes(routes!(device::verify).map(closed))
            .routes(routes!(fallbacks::device).map(closed))
            .routes(routes!(fallbacks::device_done).map(closed))
            .routes(routes!(register::create).map(closed))
            .routes(routes!(register::read, register::replace, register::delete).map(closed))
            .routes(routes!(status::status).map(open))
            .routes(routes!(jwks::jwks).map(open))
            .routes(routes!(discovery::openid).map(open))
            .routes(routes!(discovery::oauth).map(open))
            .routes(routes!(userinfo::get, userinfo::post).map(open))
            .routes(routes!(health::alive_in_public).map(closed))
            .routes(routes!(health::ready_in_public).map(closed))
            .routes(routes!(openapi::openapi).map(|route| open(described.of(route))))
            .split_for_parts();
    let of_issuer = discovery::path_of_issuer(&authority);
    let paths = description.paths.paths.keys().map(String::as_str);
    let paths = paths.chain(of_issuer.as_deref());
    let endpoints = Endpoints::new(paths);
    described.fill(description);
    let routes: Router<Arc<Authority>> = match &of_issuer {
        Some(path) => routes.route(path, open(get(discovery::oauth))),
        None => routes,
    };
    let routes = routes
        .fallback(not_found::page)
        .with_state(Arc::clone(&authority));
    Edge::new(
        (routes, endpoints),
        Port::Public,
        &authority.options,
        metrics,
    )
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
