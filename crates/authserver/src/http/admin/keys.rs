//! `/admin/keys`: key sets with their private parts, for administrators alone.

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::{AdminError, client::escape, keys::admin::NewKey},
    http::{
        Shared,
        admin::{json, path::Path},
        answer,
        error::AdminFailure,
    },
};

/// A key set (RFC 7517, section 5), private parts and all.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct KeySet {
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Map<String, Value>>,
}

type Answer = Result<Response, AdminFailure>;

/// `GET /admin/keys/{set}`.
#[utoipa::path(get, path = "/admin/keys/{set}", tag = "keys", params(("set" = String, Path, description = "The key set")), responses((status = 200, body = KeySet), AdminFailure))]
pub(super) async fn read_set(State(authority): Shared, Path(set): Path<String>) -> Answer {
    let keys = authority.key_set(&set)?;
    Ok(ok(&KeySet { keys }))
}

/// `POST /admin/keys/{set}`: makes a key.
#[utoipa::path(post, path = "/admin/keys/{set}", tag = "keys", params(("set" = String, Path, description = "The key set")), request_body(content = Object, description = "`alg`, `use` and `kid` of the new key; its `rsa_bits`, and how long it is published before it signs as `publish_ahead`, such as `10m`"), responses((status = 201, body = KeySet, headers(("Location" = String))), AdminFailure))]
pub(super) async fn create(
    State(authority): Shared,
    Path(set): Path<String>,
    body: Body,
) -> Answer {
    let new: NewKey = json::read(body).await?;
    let key = authority.create_key(&set, new).await?;
    let mut response = answer::json(
        StatusCode::CREATED,
        answer::JSON,
        &KeySet { keys: vec![key] },
    );
    let location = format!("{}/keys/{}", authority.options.issuer_base(), escape(&set));
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// `PUT /admin/keys/{set}`.
#[utoipa::path(put, path = "/admin/keys/{set}", tag = "keys", params(("set" = String, Path, description = "The key set")), request_body = KeySet, responses((status = 200, body = KeySet), AdminFailure))]
pub(super) async fn replace_set(
    State(authority): Shared,
    Path(set): Path<String>,
    body: Body,
) -> Answer {
    let body: Value = json::read(body).await?;
    let keys = match body.get("keys") {
        Some(Value::Array(keys)) => keys.as_slice(),
        None | Some(Value::Null) if body.is_object() => &[],
        _ => {
            let text = "Member 'keys' must be a list of keys.";
            return Err(AdminError::Malformed(text.to_owned()).into());
        }
    };
    let keys = authority.replace_key_set(&set, keys).await?;
    Ok(ok(&KeySet { keys }))
}

/// `DELETE /admin/keys/{set}`.
#[utoipa::path(delete, path = "/admin/keys/{set}", tag = "keys", params(("set" = String, Path, description = "The key set")), responses((status = 204), AdminFailure))]
pub(super) async fn delete_set(State(authority): Shared, Path(set): Path<String>) -> Answer {
    authority.delete_key_set(&set).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /admin/keys/{set}/{kid}`.
#[utoipa::path(get, path = "/admin/keys/{set}/{kid}", tag = "keys", params(("set" = String, Path, description = "The key set"), ("kid" = String, Path, description = "The key")), responses((status = 200, body = KeySet), AdminFailure))]
pub(super) async fn read(
    State(authority): Shared,
    Path((set, kid)): Path<(String, String)>,
) -> Answer {
    let keys = vec![authority.key(&set, &kid)?];
    Ok(ok(&KeySet { keys }))
}

/// `PUT /admin/keys/{set}/{kid}`: the name in the body counts, as in Hydra.
#[utoipa::path(put, path = "/admin/keys/{set}/{kid}", tag = "keys", params(("set" = String, Path, description = "The key set"), ("kid" = String, Path, description = "The key")), request_body(content = Object, description = "A JWK (RFC 7517)"), responses((status = 200, body = Object, description = "The JWK"), AdminFailure))]
pub(super) async fn put(
    State(authority): Shared,
    Path((set, _)): Path<(String, String)>,
    body: Body,
) -> Answer {
    let key: Value = json::read(body).await?;
    Ok(ok(&authority.put_key(&set, &key).await?))
}

/// `DELETE /admin/keys/{set}/{kid}`.
#[utoipa::path(delete, path = "/admin/keys/{set}/{kid}", tag = "keys", params(("set" = String, Path, description = "The key set"), ("kid" = String, Path, description = "The key")), responses((status = 204), AdminFailure))]
pub(super) async fn delete(
    State(authority): Shared,
    Path((set, kid)): Path<(String, String)>,
) -> Answer {
    authority.delete_key(&set, &kid).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn ok(value: &impl Serialize) -> Response {
    answer::json(StatusCode::OK, answer::JSON, value)
}
