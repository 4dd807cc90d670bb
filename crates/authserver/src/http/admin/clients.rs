//! `/admin/clients`: create, list, read, replace, patch, delete, and their lifetimes.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::Response,
};
use carnet_oauth::client::{Client, Lifespans};
use serde_json::Value;

use crate::{
    domain::{client::escape, page},
    http::{Shared, admin::json, answer, error::AdminFailure},
    store::ClientQuery,
};

type Answer = Result<Response, AdminFailure>;

/// `POST /admin/clients`.
pub(super) async fn create(State(authority): Shared, body: Body) -> Answer {
    let client: Client = json::read(body).await?;
    let created = authority.create_client(client).await?;
    let mut response = answer::json(StatusCode::CREATED, answer::JSON, &created);
    let location = format!("/admin/clients/{}", escape(&created.client_id));
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// `GET /admin/clients/{id}`.
pub(super) async fn read(State(authority): Shared, Path(id): Path<String>) -> Answer {
    Ok(ok(&authority.client(&id).await?))
}

/// `PUT /admin/clients/{id}`.
pub(super) async fn replace(
    State(authority): Shared,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let client: Client = json::read(body).await?;
    Ok(ok(&authority.replace_client(&id, client).await?))
}

/// `PATCH /admin/clients/{id}`.
pub(super) async fn patch(State(authority): Shared, Path(id): Path<String>, body: Body) -> Answer {
    let patch: Value = json::read(body).await?;
    Ok(ok(&authority.patch_client(&id, &patch).await?))
}

/// `PUT /admin/clients/{id}/lifespans`.
pub(super) async fn lifespans(
    State(authority): Shared,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let lifespans: Lifespans = json::read(body).await?;
    Ok(ok(&authority.set_lifespans(&id, lifespans).await?))
}

/// `DELETE /admin/clients/{id}`.
pub(super) async fn delete(State(authority): Shared, Path(id): Path<String>) -> Answer {
    authority.delete_client(&id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /admin/clients`: a page, with links to the first and the next one.
pub(super) async fn list(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let parameters: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let value = |name: &str| parameters.get(name).map(String::as_str);
    let filter = |name: &str| {
        value(name)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (name, owner) = (filter("client_name"), filter("owner"));
    let filters = serde_json::json!([name, owner]).to_string();
    let size = page::size(value("page_size"))?;
    let after = authority.page_after(value("page_token"), &filters)?;
    let (clients, more) = authority
        .list_clients(ClientQuery {
            name,
            owner,
            after,
            limit: size,
        })
        .await?;
    let link = |after: &str, relation: &str| -> Result<String, AdminFailure> {
        let mut parameters = parameters.clone();
        parameters.insert("page_size".to_owned(), size.to_string());
        parameters.insert(
            "page_token".to_owned(),
            authority.page_token(after, &filters)?,
        );
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        Ok(format!("</admin/clients?{query}>; rel=\"{relation}\""))
    };
    let mut links = vec![link("", "first")?];
    if let Some(last) = clients.last().filter(|_| more) {
        links.push(link(&last.client_id, "next")?);
    }
    let mut response = ok(&clients);
    answer::set_text(&mut response, header::LINK, &links.join(","));
    Ok(response)
}

fn ok(value: &impl serde::Serialize) -> Response {
    answer::json(StatusCode::OK, answer::JSON, value)
}
