//! `POST /admin/oauth2/introspect` (RFC 7662).

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::{ErrorCode, introspection::Introspection, scope};

use crate::{
    domain::{Authority, TokenError},
    http::{Shared, answer, body, error::OauthFailure},
};

/// What a token says, if it counts.
#[utoipa::path(post, path = "/admin/oauth2/introspect", tag = "tokens", request_body(content = Object, content_type = "application/x-www-form-urlencoded", description = "`token`, and the scopes that it must have as `scope`"),
    responses((status = 200, body = Object, description = "What the token says (RFC 7662)"), OauthFailure))]
pub(super) async fn introspect(
    State(authority): Shared,
    request: Request,
) -> Result<Response, OauthFailure> {
    let (head, body) = request.into_parts();
    let told = told(&authority, &head.headers, body).await;
    let told = told.map_err(OauthFailure::with_newline)?;
    let response = answer::json(StatusCode::OK, answer::OAUTH_JSON, &told);
    Ok(match told.active {
        true => response,
        false => answer::uncached(response),
    })
}

async fn told(
    authority: &Authority,
    headers: &HeaderMap,
    body: Body,
) -> Result<Introspection, OauthFailure> {
    let parameters = body::parameters(headers, body).await?;
    if parameters.is_empty() {
        let text = "The body has no form parameters.";
        return Err(TokenError::refused(ErrorCode::InvalidRequest, text).into());
    }
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let scopes = scope::split(value("scope"));
    Ok(authority.introspect(value("token"), &scopes).await?)
}
