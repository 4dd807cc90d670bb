//! The admin port: whoever can reach it, so it must not be reachable by everybody. Its paths stand
//! under `/admin`; those of Hydra 1, without it, work as well.

mod clients;
mod introspect;
mod keys;
mod tokens;
mod version;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    routing::{delete, get, post, put},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{AdminError, Authority},
    http::{
        body,
        edge::{Port, around},
        error::AdminFailure,
        health, not_found,
    },
};

/// The routes.
pub(crate) fn router(authority: Arc<Authority>) -> Router {
    let routes = Router::new()
        .route("/", get(not_found::page))
        .route("/admin/clients", get(clients::list).post(clients::create))
        .route(
            "/admin/clients/{id}",
            get(clients::read)
                .put(clients::replace)
                .patch(clients::patch)
                .delete(clients::delete),
        )
        .route("/admin/clients/{id}/lifespans", put(clients::lifespans))
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
    around(routes, Port::Admin)
}

/// The first JSON value of a body, whatever its content type says; old clients send odd ones.
async fn json<T: DeserializeOwned>(body: Body) -> Result<T, AdminFailure> {
    let bytes = body::admin(body).await?;
    let malformed = |error: &serde_json::Error| {
        // The message may quote what was sent, and that may be a secret: only the place is told.
        AdminError::Malformed(format!(
            "The body is not the JSON that is expected here (line {}, column {}).",
            error.line(),
            error.column()
        ))
    };
    let mut values = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
    let value = match values.next() {
        Some(Ok(Value::Null)) => Value::Object(serde_json::Map::new()),
        Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) => value,
        Some(Err(error)) => return Err(malformed(&error).into()),
        Some(Ok(_)) | None => {
            let text = "The body is not the JSON that is expected here.".to_owned();
            return Err(AdminError::Malformed(text).into());
        }
    };
    Ok(T::deserialize(value).map_err(|error| member_error(&error))?)
}

/// Why a value is not what it should be. The kinds of values are told, texts that were sent not.
fn member_error(error: &serde_json::Error) -> AdminError {
    let text = error.to_string();
    let told = if text.contains("is no duration")
        || text.starts_with("invalid type: ") && !text.contains('"')
    {
        format!("The body cannot be used: {text}.")
    } else {
        "A member of the body has the wrong type.".to_owned()
    };
    AdminError::Malformed(told)
}
