//! `POST /admin/oauth2/introspect` (RFC 7662).

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::{ErrorCode, scope};

use crate::{
    domain::TokenError,
    http::{Shared, answer, body, error::OauthFailure},
};

/// What a token says, if it counts.
pub(super) async fn introspect(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let parameters = body::parameters(&headers, body)
        .await
        .map_err(OauthFailure::with_newline)?;
    if parameters.is_empty() {
        let text = "The body has no form parameters.";
        let error = TokenError::refused(ErrorCode::InvalidRequest, text);
        return Err(OauthFailure::with_newline(error));
    }
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let scopes = scope::split(value("scope"));
    let told = authority
        .introspect(value("token"), &scopes)
        .await
        .map_err(OauthFailure::with_newline)?;
    let response = answer::json(StatusCode::OK, answer::OAUTH_JSON, &told);
    Ok(if told.active {
        response
    } else {
        answer::uncached(response)
    })
}
