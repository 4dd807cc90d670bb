//! `/oauth2/register` (RFC 7591): clients register themselves, and look after themselves by the token
//! that they got (RFC 7592), where the operator lets them.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use carnet_oauth::client::Client;
use serde_json::{Map, Value};

use crate::{
    domain::{AdminError, client::escape},
    http::{
        Shared,
        admin::{json, path::Path},
        answer,
        error::AdminFailure,
    },
};

type Answer = Result<Response, AdminFailure>;

/// Registers a client.
#[utoipa::path(post, path = "/oauth2/register", tag = "registration", request_body = Client, responses((status = 201, body = Client, headers(("Location" = String))), (status = 401, description = "The token is another one", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn create(State(authority): Shared, body: Body) -> Answer {
    authority.require_registration()?;
    let client: Client = json::read(body).await?;
    let created = authority.register(client).await?;
    let shown = shown(&created)?;
    let mut response = answer::json(StatusCode::CREATED, answer::JSON, &shown);
    let location = format!("admin/clients/{}", escape(&created.client_id));
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// What a client registered.
#[utoipa::path(get, path = "/oauth2/register/{id}", tag = "registration", params(("id" = String, Path, description = "The client's id")), responses((status = 200, body = Client), (status = 401, description = "The token is another one", body = carnet_oauth::ErrorBody), AdminFailure), security(("bearer" = [])))]
pub(super) async fn read(
    State(authority): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let client = authority.registered(&id, bearer(&headers)).await?;
    let mut shown = shown(&client)?;
    // What the administrator keeps beside it is not for the client.
    shown.shift_remove("metadata");
    Ok(answer::json(StatusCode::OK, answer::JSON, &shown))
}

/// Replaces it.
#[utoipa::path(put, path = "/oauth2/register/{id}", tag = "registration", params(("id" = String, Path, description = "The client's id")), request_body = Client, responses((status = 200, body = Client), (status = 401, description = "The token is another one", body = carnet_oauth::ErrorBody), (status = 403, description = "A secret is not chosen", body = carnet_oauth::ErrorBody), AdminFailure), security(("bearer" = [])))]
pub(super) async fn replace(
    State(authority): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    authority.require_registration()?;
    let client: Client = json::read(body).await?;
    let replaced = authority
        .register_again(&id, bearer(&headers), client)
        .await?;
    Ok(answer::json(
        StatusCode::OK,
        answer::JSON,
        &shown(&replaced)?,
    ))
}

/// Deletes it.
#[utoipa::path(delete, path = "/oauth2/register/{id}", tag = "registration", params(("id" = String, Path, description = "The client's id")), responses((status = 204), (status = 401, description = "The token is another one", body = carnet_oauth::ErrorBody), AdminFailure), security(("bearer" = [])))]
pub(super) async fn delete(
    State(authority): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    authority.unregister(&id, bearer(&headers)).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// A client as it is told of itself. What it is not registered with is not there (RFC 7591, section
/// 3.2.1): clients refuse a `null` in the place of a list, and an address that is empty.
fn shown(client: &Client) -> Result<Map<String, Value>, AdminError> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(client) else {
        return Err(AdminError::Internal);
    };
    members.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
    Ok(members)
}

/// The token of the request; empty when there is none.
fn bearer(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    }
}
