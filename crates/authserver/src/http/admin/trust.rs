//! `/admin/trust/grants/jwt-bearer/issuers`: whose assertions are believed (RFC 7523).

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::Response,
};

use crate::{
    domain::{
        page,
        trust::{NewIssuer, TrustedIssuer},
    },
    http::{
        Shared,
        admin::{
            json,
            list::{page_link, parameter},
            path::Path,
        },
        answer,
        error::AdminFailure,
    },
};

type Answer = Result<Response, AdminFailure>;

/// Trusts an issuer.
#[utoipa::path(post, path = "/admin/trust/grants/jwt-bearer/issuers", tag = "trust", request_body(content = Object, content_type = "application/json"), responses((status = 201, body = TrustedIssuer, headers(("Location" = String))), AdminFailure))]
pub(super) async fn create(State(authority): Shared, body: Body) -> Answer {
    let new: NewIssuer = json::read(body).await?;
    let trusted = authority.trust(new).await?;
    let mut response = answer::json(StatusCode::CREATED, answer::JSON, &trusted);
    let location = format!("/trust/grants/jwt-bearer/issuers/{}", trusted.id);
    answer::set_text(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// The trusted issuers.
#[utoipa::path(get, path = "/admin/trust/grants/jwt-bearer/issuers", tag = "trust", params(
    ("issuer" = Option<String>, Query, description = "Only those of this name"),
    ("page_size" = Option<i64>, Query, description = "At most so many; 100 when absent, 500 at most"),
    ("page_token" = Option<String>, Query, description = "From the address of another page"),
), responses((status = 200, body = Vec<TrustedIssuer>, headers(("Link" = String))), AdminFailure))]
pub(super) async fn list(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let issuer = parameter(&query, "issuer");
    let filters = serde_json::json!(["issuers", issuer]).to_string();
    let size = page::size(parameter(&query, "page_size").as_deref())?;
    let token = parameter(&query, "page_token");
    let after = authority.page_after(token.as_deref(), &filters)?;
    let mut trusted = authority.trusted_issuers(issuer.as_deref()).await?;
    trusted.retain(|issuer| after.as_ref().is_none_or(|after| issuer.id > *after));
    let more = trusted.len() > size as usize;
    trusted.truncate(size as usize);
    let last = trusted.last().filter(|_| more);
    let mut links = Vec::new();
    for (after, relation) in [
        (Some(""), "first"),
        (last.map(|last| last.id.as_str()), "next"),
    ] {
        if let Some(after) = after {
            let token = authority.page_token(after, &filters)?;
            let path = "/admin/trust/grants/jwt-bearer/issuers";
            links.push(page_link(path, &query, (size, &token), relation));
        }
    }
    let mut response = answer::json(StatusCode::OK, answer::JSON, &trusted);
    answer::set_text(&mut response, header::LINK, &links.join(","));
    Ok(response)
}

/// One of them.
#[utoipa::path(get, path = "/admin/trust/grants/jwt-bearer/issuers/{id}", tag = "trust", params(("id" = String, Path, description = "The issuer's id")), responses((status = 200, body = TrustedIssuer), AdminFailure))]
pub(super) async fn read(State(authority): Shared, Path(id): Path<String>) -> Answer {
    let trusted = authority.trusted_issuer(&id).await?;
    Ok(answer::json(StatusCode::OK, answer::JSON, &trusted))
}

/// Trusts an issuer no longer.
#[utoipa::path(delete, path = "/admin/trust/grants/jwt-bearer/issuers/{id}", tag = "trust", params(("id" = String, Path, description = "The issuer's id")), responses((status = 204), AdminFailure))]
pub(super) async fn delete(State(authority): Shared, Path(id): Path<String>) -> Answer {
    authority.distrust(&id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
