//! `/userinfo`, as machines see it. The token is in the Authorization header or in a form
//! (RFC 6750); one in the query is not looked at.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use carnet_oauth::ErrorCode;

use crate::{
    domain::TokenError,
    http::{Shared, answer, body, error::BearerFailure},
};

/// What the token says about its bearer.
pub(super) async fn userinfo(
    State(authority): Shared,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, BearerFailure> {
    let token = bearer(&method, &headers, body).await?;
    let info = authority.userinfo(&token).await?;
    Ok(answer::json(StatusCode::OK, answer::JSON, &info))
}

/// The token of the request; empty when there is none.
async fn bearer(method: &Method, headers: &HeaderMap, body: Body) -> Result<String, BearerFailure> {
    let in_header = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    });
    let parameters = match *method {
        Method::POST => body::parameters(headers, body).await?,
        _ => Vec::new(),
    };
    let in_form = parameters
        .into_iter()
        .find(|(name, _)| name == "access_token");
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "The token is in more than one place.",
        ))?,
        (Some(token), None) | (None, Some((_, token))) => Ok(token),
        (None, None) => Ok(String::new()),
    }
}
