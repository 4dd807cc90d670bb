//! `POST /oauth2/revoke` (RFC 7009). The answer does not tell what the token was.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::token_request::TokenRequest;
use tokio::time::Instant;

use crate::{
    domain::client_auth::Presented,
    http::{Shared, answer, body, error::OauthFailure, public::basic},
};

/// Takes a token of the client back.
pub(super) async fn revoke(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let arrived = Instant::now();
    let parameters = body::parameters(&headers, body)
        .await
        .map_err(OauthFailure::with_newline)?;
    let token = parameters
        .iter()
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.clone());
    let request = TokenRequest::from_parameters(parameters).map_err(OauthFailure::with_newline)?;
    let basic = basic(&headers).map_err(OauthFailure::with_newline)?;
    let presented = Presented::new(arrived, basic, &request);
    let client = authority
        .authenticate(&presented)
        .await
        .map_err(OauthFailure::with_newline)?;
    if let Some(token) = token {
        authority
            .revoke(&client, &token)
            .await
            .map_err(OauthFailure::with_newline)?;
    }
    Ok(answer::uncached(answer::empty(StatusCode::OK)))
}
