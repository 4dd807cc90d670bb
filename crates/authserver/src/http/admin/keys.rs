//! `/admin/keys`: key sets with their private parts, for administrators alone.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::Response,
};
use serde_json::{Value, json as value};

use crate::{
    domain::{AdminError, client::escape, keys::admin::NewKey},
    http::{Shared, admin::json, answer, error::AdminFailure},
};

type Answer = Result<Response, AdminFailure>;

/// `GET /admin/keys/{set}`.
pub(super) async fn read_set(State(authority): Shared, Path(set): Path<String>) -> Answer {
    Ok(ok(&value!({"keys": authority.key_set(&set)?})))
}

/// `POST /admin/keys/{set}`: makes a key.
pub(super) async fn create(
    State(authority): Shared,
    Path(set): Path<String>,
    body: Body,
) -> Answer {
    let new: NewKey = json::read(body).await?;
    let key = authority.create_key(&set, new).await?;
    let mut response = answer::json(StatusCode::CREATED, answer::JSON, &value!({"keys": [key]}));
    let location = format!("{}/keys/{}", authority.options.issuer_base(), escape(&set));
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// `PUT /admin/keys/{set}`.
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
    Ok(ok(
        &value!({"keys": authority.replace_key_set(&set, keys).await?}),
    ))
}

/// `DELETE /admin/keys/{set}`.
pub(super) async fn delete_set(State(authority): Shared, Path(set): Path<String>) -> Answer {
    authority.delete_key_set(&set).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /admin/keys/{set}/{kid}`.
pub(super) async fn read(
    State(authority): Shared,
    Path((set, kid)): Path<(String, String)>,
) -> Answer {
    Ok(ok(&value!({"keys": [authority.key(&set, &kid)?]})))
}

/// `PUT /admin/keys/{set}/{kid}`: the name in the body counts, as in Hydra.
pub(super) async fn put(
    State(authority): Shared,
    Path((set, _)): Path<(String, String)>,
    body: Body,
) -> Answer {
    let key: Value = json::read(body).await?;
    Ok(ok(&authority.put_key(&set, &key).await?))
}

/// `DELETE /admin/keys/{set}/{kid}`.
pub(super) async fn delete(
    State(authority): Shared,
    Path((set, kid)): Path<(String, String)>,
) -> Answer {
    authority.delete_key(&set, &kid).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn ok(value: &impl serde::Serialize) -> Response {
    answer::json(StatusCode::OK, answer::JSON, value)
}
