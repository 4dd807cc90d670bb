//! `GET /admin/clients`: the list, a page at a time. Pages follow one another by a sealed token; for
//! clients of Hydra 2.2 and before also by `limit` and `offset`, with the number of all.

use std::collections::BTreeMap;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderName, StatusCode, header},
    response::Response,
};
use carnet_oauth::client::Client;

use crate::{
    domain::{Authority, page},
    http::{Shared, answer, error::AdminFailure},
    store::ClientQuery,
};

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

type Answer = Result<Response, AdminFailure>;
type Parameters = BTreeMap<String, String>;

/// A page of clients, with links to others.
#[utoipa::path(get, path = "/admin/clients", tag = "clients", params(
    ("client_name" = Option<String>, Query, description = "Only those of this name"),
    ("owner" = Option<String>, Query, description = "Only those of this owner"),
    ("page_size" = Option<i64>, Query, description = "At most so many; 100 when absent, 500 at most"),
    ("page_token" = Option<String>, Query, description = "From the address of another page"),
    ("limit" = Option<i64>, Query, description = "At most so many, without page_size and page_token; 250 when absent, 1000 at most"),
    ("offset" = Option<i64>, Query, description = "Without so many of the first"),
), responses((status = 200, body = Vec<Client>, headers(("Link" = String), ("X-Total-Count" = String, description = "With limit or offset"))), AdminFailure))]
pub(super) async fn list(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let parameters: Parameters = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let has = |name: &str| parameters.contains_key(name);
    let is_by_token = has("page_size") || has("page_token");
    if !is_by_token && (has("limit") || has("offset")) {
        return by_offset(&authority, &parameters).await;
    }
    by_token(&authority, &parameters).await
}

async fn by_token(authority: &Authority, parameters: &Parameters) -> Answer {
    let narrowed = narrowed(parameters);
    let filters = serde_json::json!([narrowed.name, narrowed.owner]).to_string();
    let size = page::size(value(parameters, "page_size"))?;
    let after = authority.page_after(value(parameters, "page_token"), &filters)?;
    let query = ClientQuery {
        after,
        limit: size,
        ..narrowed
    };
    let (clients, more) = authority.list_clients(query).await?;
    let to = |after: &str, relation: &str| -> Result<String, AdminFailure> {
        let token = authority.page_token(after, &filters)?;
        let changes = [("page_size", size.to_string()), ("page_token", token)];
        Ok(link(parameters, changes, relation))
    };
    let mut links = vec![to("", "first")?];
    if let Some(last) = clients.last().filter(|_| more) {
        links.push(to(&last.client_id, "next")?);
    }
    Ok(page_of(&clients, &links))
}

async fn by_offset(authority: &Authority, parameters: &Parameters) -> Answer {
    let limit = page::limit(value(parameters, "limit"))?;
    let offset = page::offset(value(parameters, "offset"))?;
    let query = ClientQuery {
        offset,
        limit,
        ..narrowed(parameters)
    };
    let total = authority.count_clients(&query).await?;
    let (clients, _) = authority.list_clients(query).await?;
    let to = |offset: u64, relation: &str| {
        let changes = [("limit", limit.to_string()), ("offset", offset.to_string())];
        link(parameters, changes, relation)
    };
    let (here, step) = (u64::from(offset), u64::from(limit));
    let mut links = vec![to(0, "first")];
    if here + step < total {
        links.push(to(here + step, "next"));
    }
    if here > 0 {
        links.push(to(here.saturating_sub(step), "prev"));
    }
    links.push(to(total.saturating_sub(1) / step * step, "last"));
    let mut response = page_of(&clients, &links);
    answer::set_text(&mut response, TOTAL, &total.to_string());
    Ok(response)
}

/// All clients that the filters leave.
fn narrowed(parameters: &Parameters) -> ClientQuery {
    let filter = |name| value(parameters, name).map(str::to_owned);
    ClientQuery {
        name: filter("client_name"),
        owner: filter("owner"),
        ..ClientQuery::default()
    }
}

/// The address of another page of a list, which keeps the other parameters.
pub(super) fn page_link(
    path: &str,
    query: &str,
    (size, token): (u32, &str),
    relation: &str,
) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut pairs: Parameters = pairs.into_owned().collect();
    pairs.insert("page_size".to_owned(), size.to_string());
    pairs.insert("page_token".to_owned(), token.to_owned());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("<{path}?{query}>; rel=\"{relation}\"")
}

/// The value of a parameter of a query that is not empty.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(known, value)| known == name && !value.is_empty());
    found.map(|(_, value)| value.into_owned())
}

/// The value of a parameter that is not empty.
fn value<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let value = parameters.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// The address of another page, which keeps the other parameters.
fn link(parameters: &Parameters, changes: [(&str, String); 2], relation: &str) -> String {
    let mut parameters = parameters.clone();
    parameters.extend(changes.map(|(name, value)| (name.to_owned(), value)));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("</admin/clients?{query}>; rel=\"{relation}\"")
}

fn page_of(clients: &impl serde::Serialize, links: &[String]) -> Response {
    let mut response = answer::json(StatusCode::OK, answer::JSON, clients);
    answer::set_text(&mut response, header::LINK, &links.join(","));
    response
}
