//! The admin port: whoever can reach it, so it must not be reachable by everybody. Its paths stand
//! under `/admin`; those of Hydra 1, without it, work as well.

mod clients;
mod introspect;
mod json;
mod keys;
mod list;
mod tokens;
mod version;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post, put},
};

use crate::{
    domain::Authority,
    http::{
        edge::{Port, around},
        health, not_found,
    },
};

/// The routes.
pub(crate) fn router(authority: Arc<Authority>) -> Router {
    let cors = authority.options.admin_cors.clone();
    let routes = Router::new()
        .route("/", get(not_found::page))
        .route("/admin/clients", get(list::list).post(clients::create))
        .route(
            "/admin/clients/{id}",
            get(clients::read)
                .put(clients::replace)
                .patch(clients::patch)
                .delete(clients::delete),
        )
        .route("/admin/clients/{id}/lifespans", put(clients::lifespans))
        .route(
            "/admin/clients/{id}/secrets/rotate",
            post(clients::rotate_secret).delete(clients::drop_rotated_secrets),
        )
        .route(
            "/admin/keys/{set}",
            get(keys::read_set)
                .post(keys::create)
                .put(keys::replace_set)
                .delete(keys::delete_set),
        )
        .route(
            "/admin/keys/{set}/{kid}",
            get(keys::read).put(keys::put).delete(keys::delete),
        )
        .route("/admin/oauth2/introspect", post(introspect::introspect))
        .route("/admin/oauth2/tokens", delete(tokens::delete))
        .route("/admin/health/alive", get(health::alive))
        .route("/admin/health/ready", get(health::ready))
        .route("/admin/version", get(version::version))
        .method_not_allowed_fallback(not_found::wrong_method)
        .fallback(not_found::text)
        .with_state(authority);
    around(routes, Port::Admin, cors.as_ref())
}
