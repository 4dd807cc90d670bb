//! `/oauth2/auth` (RFC 6749, section 4.1): where browsers come with what clients want, and back from
//! the login and consent applications.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use carnet_oauth::form;

use crate::http::{
    Shared, body, cookie,
    error::{Failed, OauthFailure},
    page,
};

/// A browser that wants a code, or comes back.
#[utoipa::path(get, path = "/oauth2/auth", tag = "people", params(
    ("client_id" = Option<String>, Query, description = "The client"),
    ("response_type" = Option<String>, Query, description = "`code`"),
    ("redirect_uri" = Option<String>, Query, description = "An address that the client registered"),
    ("scope" = Option<String>, Query, description = "Scopes with spaces in between"),
    ("state" = Option<String>, Query, description = "8 characters or more"),
    ("code_challenge" = Option<String>, Query, description = "RFC 7636"),
    ("code_challenge_method" = Option<String>, Query, description = "`S256`"),
), responses((status = 302, description = "To the login application, the consent application or a page with an error"), (status = 303, description = "To the client"), (status = 200, description = "A form for the client", content_type = "text/html"), Failed))]
pub(super) async fn get(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OauthFailure> {
    let browser = cookie::read(&headers);
    let query = query.unwrap_or_default();
    let onward = authority.authorize(&query, &browser).await;
    let onward = onward.map_err(|error| OauthFailure::from(error).with_newline())?;
    Ok(page::onward(&authority, onward, true))
}

/// The same, of a form.
#[utoipa::path(post, path = "/oauth2/auth", tag = "people", request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses((status = 302, description = "To the login application, the consent application or a page with an error"), (status = 303, description = "To the client"), (status = 200, description = "A form for the client", content_type = "text/html"), OauthFailure))]
pub(super) async fn post(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let browser = cookie::read(&headers);
    let parameters = body::parameters(&headers, body).await?;
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.into()));
    let query = form::encode_pairs(pairs);
    let onward = authority.authorize(&query, &browser).await;
    let onward = onward.map_err(|error| OauthFailure::from(error).with_newline())?;
    Ok(page::onward(&authority, onward, false))
}
