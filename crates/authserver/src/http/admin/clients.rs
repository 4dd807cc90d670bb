//! `/admin/clients`: create, read, replace, patch, delete, their lifetimes and secrets. The list is
//! in [`super::list`].

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use carnet_oauth::client::{Client, Lifespans};
use serde_json::Value;

use crate::{
    domain::client::escape,
    http::{
        Shared,
        admin::{json, path::Path},
        answer,
        error::AdminFailure,
    },
};

type Answer = Result<Response, AdminFailure>;

/// `POST /admin/clients`.
#[utoipa::path(post, path = "/admin/clients", tag = "clients", request_body = Client, responses((status = 201, body = Client, headers(("Location" = String))), AdminFailure))]
pub(super) async fn create(State(authority): Shared, body: Body) -> Answer {
    let client: Client = json::read(body).await?;
    let created = authority.create_client(client).await?;
    let mut response = answer::json(StatusCode::CREATED, answer::JSON, &created);
    let location = format!("/admin/clients/{}", escape(&created.client_id));
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// `GET /admin/clients/{id}`.
#[utoipa::path(get, path = "/admin/clients/{id}", tag = "clients", params(("id" = String, Path, description = "The client's id")), responses((status = 200, body = Client), AdminFailure))]
pub(super) async fn read(State(authority): Shared, Path(id): Path<String>) -> Answer {
    Ok(ok(&authority.client(&id).await?))
}

/// `PUT /admin/clients/{id}`.
#[utoipa::path(put, path = "/admin/clients/{id}", tag = "clients", params(("id" = String, Path, description = "The client's id")), request_body = Client, responses((status = 200, body = Client), AdminFailure))]
pub(super) async fn replace(
    State(authority): Shared,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let client: Client = json::read(body).await?;
    Ok(ok(&authority.replace_client(&id, client).await?))
}

/// `PATCH /admin/clients/{id}`.
#[utoipa::path(patch, path = "/admin/clients/{id}", tag = "clients", params(("id" = String, Path, description = "The client's id")), request_body(content = Vec<Object>, description = "A JSON Patch (RFC 6902) of add, remove and replace"), responses((status = 200, body = Client), AdminFailure))]
pub(super) async fn patch(State(authority): Shared, Path(id): Path<String>, body: Body) -> Answer {
    let patch: Value = json::read(body).await?;
    Ok(ok(&authority.patch_client(&id, &patch).await?))
}

/// `PUT /admin/clients/{id}/lifespans`.
#[utoipa::path(put, path = "/admin/clients/{id}/lifespans", tag = "clients", params(("id" = String, Path, description = "The client's id")), request_body = Lifespans, responses((status = 200, body = Client), AdminFailure))]
pub(super) async fn lifespans(
    State(authority): Shared,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let lifespans: Lifespans = json::read(body).await?;
    Ok(ok(&authority.set_lifespans(&id, lifespans).await?))
}

/// `DELETE /admin/clients/{id}`.
#[utoipa::path(delete, path = "/admin/clients/{id}", tag = "clients", params(("id" = String, Path, description = "The client's id")), responses((status = 204), AdminFailure))]
pub(super) async fn delete(State(authority): Shared, Path(id): Path<String>) -> Answer {
    authority.delete_client(&id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /admin/clients/{id}/secrets/rotate`.
#[utoipa::path(post, path = "/admin/clients/{id}/secrets/rotate", tag = "clients", params(("id" = String, Path, description = "The client's id")), responses((status = 200, body = Client), AdminFailure))]
pub(super) async fn rotate_secret(State(authority): Shared, Path(id): Path<String>) -> Answer {
    Ok(ok(&authority.rotate_secret(&id).await?))
}

/// `DELETE /admin/clients/{id}/secrets/rotate`.
#[utoipa::path(delete, path = "/admin/clients/{id}/secrets/rotate", tag = "clients", params(("id" = String, Path, description = "The client's id")), responses((status = 204), AdminFailure))]
pub(super) async fn drop_rotated_secrets(
    State(authority): Shared,
    Path(id): Path<String>,
) -> Answer {
    authority.drop_rotated_secrets(&id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn ok(value: &impl serde::Serialize) -> Response {
    answer::json(StatusCode::OK, answer::JSON, value)
}
