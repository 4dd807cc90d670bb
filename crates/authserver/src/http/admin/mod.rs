//! The admin port: whoever can reach it, so it must not be reachable by everybody. Its paths stand
//! under `/admin`; those of Hydra 1, without it, work as well.

mod audit;
mod clients;
mod introspect;
pub(super) mod json;
mod keys;
mod list;
mod openapi;
pub(super) mod path;
mod requests;
mod revocations;
mod sessions;
mod tokens;
mod trust;
mod version;

use std::sync::Arc;

use axum::{Extension, middleware::from_fn_with_state, routing::get};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{
    domain::Authority,
    http::{
        edge::{Edge, Port},
        health,
        metrics::{self, Endpoints, Metrics},
        not_found,
        openapi::Slot,
    },
};

/// The path that names nothing.
const ROOT: &str = "/";

/// The routes, and what surrounds them.
pub(crate) fn edge(authority: Arc<Authority>, metrics: Arc<Metrics>) -> Edge {
    let described = Slot::default();
    let counters = Extension(Arc::clone(&metrics));
    let audited = from_fn_with_state(Arc::clone(&authority), audit::audited);
    let (routes, description) =
        OpenApiRouter::with_openapi(openapi::begin(&authority.options.version))
            .routes(routes!(list::list, clients::create))
            .routes(routes!(
                clients::read,
                clients::replace,
                clients::patch,
                clients::delete
            ))
            .routes(routes!(clients::lifespans))
            .routes(routes!(
                clients::rotate_secret,
                clients::drop_rotated_secrets
            ))
            .routes(routes!(
                keys::read_set,
                keys::create,
                keys::replace_set,
                keys::delete_set
            ))
            .routes(routes!(keys::read, keys::put, keys::delete))
            .routes(routes!(tokens::delete))
            .routes(routes!(requests::login))
            .routes(routes!(requests::accept_login))
            .routes(routes!(requests::reject_login))
            .routes(routes!(requests::consent))
            .routes(routes!(requests::accept_consent))
            .routes(routes!(requests::reject_consent))
            .routes(routes!(requests::logout))
            .routes(routes!(requests::accept_logout))
            .routes(routes!(requests::reject_logout))
            .routes(routes!(requests::accept_device))
            .routes(routes!(sessions::delete_logins))
            .routes(routes!(trust::list, trust::create))
            .routes(routes!(trust::read, trust::delete))
            .routes(routes!(sessions::list_consents, sessions::delete_consents))
            .routes(routes!(revocations::follow))
            .routes(routes!(health::alive))
            .routes(routes!(health::ready))
            .routes(routes!(version::version))
            .routes(routes!(metrics::prometheus).layer(counters))
            .routes(routes!(openapi::openapi).map(|route| described.of(route)))
            .route_layer(audited)
            // What is posted, but changes nothing.
            .routes(routes!(introspect::introspect))
            .split_for_parts();
    let paths = description.paths.paths.keys().map(String::as_str);
    let endpoints = Endpoints::new(paths.chain([ROOT]));
    described.fill(description);
    let routes = routes
        .route(ROOT, get(not_found::page))
        .method_not_allowed_fallback(not_found::wrong_method)
        .fallback(not_found::text)
        .with_state(Arc::clone(&authority));
    Edge::new(
        (routes, endpoints),
        Port::Admin,
        &authority.options,
        metrics,
    )
}
