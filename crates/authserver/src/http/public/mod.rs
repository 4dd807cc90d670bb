//! The public port: whoever has credentials, or wants to read the public keys. A path that is not
//! there and a method that is not meant get the same page, but for the token endpoint.

mod discovery;
mod jwks;
mod register;
mod revoke;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::{MethodRouter, any, get, post},
};
use carnet_oauth::{ErrorCode, client_auth::Basic};

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
    let routes = Router::new()
        .route(
            "/oauth2/token",
            post(token::token)
                .options(nothing)
                .fallback(not_found::wrong_method),
        )
        .route("/oauth2/revoke", open(post(revoke::revoke)))
        .route("/.well-known/jwks.json", open(get(jwks::jwks)))
        .route(
            "/.well-known/openid-configuration",
            open(get(discovery::document)),
        )
        .route(
            "/userinfo",
            open(get(userinfo::userinfo).post(userinfo::userinfo)),
        )
        .route("/oauth2/register", any(register::refuse))
        .route("/oauth2/register/{id}", any(register::refuse))
        .route(
            "/health/alive",
            get(health::alive).fallback(not_found::page),
        )
        .route(
            "/health/ready",
            get(health::ready_in_public).fallback(not_found::page),
        );
    let routes = discovery::paths(&authority)
        .into_iter()
        .fold(routes, |routes, path| {
            routes.route(&path, open(get(discovery::document)))
        });
    let routes = routes
        .fallback(not_found::page)
        .with_state(Arc::clone(&authority));
    around(routes, Port::Public, &authority.options)
}

/// A route that answers a preflight with nothing: no origin is allowed where that is
/// not switched on.
fn open(route: MethodRouter<Arc<Authority>>) -> MethodRouter<Arc<Authority>> {
    route.options(nothing).fallback(not_found::page)
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
