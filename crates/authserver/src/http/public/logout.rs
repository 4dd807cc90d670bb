//! `/oauth2/sessions/logout`: browsers of people who want to leave (OpenID Connect RP-Initiated
//! Logout).

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use carnet_oauth::form;

use crate::{
    domain::Authority,
    http::{
        Shared, body, cookie,
        error::{Failed, OauthFailure},
        page,
    },
};

/// A browser that wants to leave, or comes back from the logout application.
#[utoipa::path(get, path = "/oauth2/sessions/logout", tag = "people", params(
    ("id_token_hint" = Option<String>, Query, description = "An id token of the person"),
    ("post_logout_redirect_uri" = Option<String>, Query, description = "An address that the client registered"),
    ("state" = Option<String>, Query, description = "Goes along"),
), responses((status = 302, description = "To the logout application, the client or a page"), (status = 200, description = "A page that opens those of clients", content_type = "text/html"), Failed))]
pub(super) async fn get(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OauthFailure> {
    left(&authority, &headers, &query.unwrap_or_default(), true).await
}

/// The same, of a form.
#[utoipa::path(post, path = "/oauth2/sessions/logout", tag = "people", request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses((status = 302, description = "To the logout application, the client or a page"), (status = 200, description = "A page that opens those of clients", content_type = "text/html"), OauthFailure))]
pub(super) async fn post(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let parameters = body::parameters(&headers, body).await?;
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.into()));
    left(&authority, &headers, &form::encode_pairs(pairs), false).await
}

async fn left(
    authority: &Authority,
    headers: &HeaderMap,
    query: &str,
    is_get: bool,
) -> Result<Response, OauthFailure> {
    let browser = cookie::read(headers);
    let farewell = authority.leave(query, &browser).await;
    let farewell = farewell.map_err(|error| OauthFailure::from(error).with_newline())?;
    let mut response = match farewell.frames.as_slice() {
        [] => page::found(&farewell.to, is_get),
        frames => page::frames(frames, &farewell.to),
    };
    page::keep(authority, &mut response, &farewell.cookies);
    Ok(response)
}
