//! The admin port: whoever can reach it, so it must not be reachable by everybody. Its paths stand
//! under `/admin`; those of Hydra 1, without it, work as well.

mod audit;
mod clients;
mod introspect;
mod json;
mod keys;
mod list;
mod openapi;
mod path;
mod revocations;
mod tokens;
mod version;

use std::sync::Arc;

use axum::{Extension, Router, middleware::from_fn_with_state, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::Authority,
    http::{
        edge::{Port, around},
        health,
        metrics::{self, Metrics},
        not_found,
    },
};

/// The routes.
pub(crate) fn router(authority: Arc<Authority>, metrics: Arc<Metrics>) -> Router {
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
            .routes(routes!(introspect::introspect))
            .routes(routes!(tokens::delete))
            .routes(routes!(revocations::follow))
            .routes(routes!(health::alive))
            .routes(routes!(health::ready))
            .routes(routes!(version::version))
            .routes(routes!(metrics::prometheus))
            .routes(routes!(openapi::openapi))
            .split_for_parts();
    let noted = from_fn_with_state(Arc::clone(&authority), audit::audited);
    let routes = routes
        .route_layer(noted)
        .route("/", get(not_found::page))
        .method_not_allowed_fallback(not_found::wrong_method)
        .fallback(not_found::text)
        .layer(Extension(Arc::new(description)))
        .layer(Extension(metrics))
        .with_state(Arc::clone(&authority));
    around(routes, Port::Admin, &authority.options)
}
