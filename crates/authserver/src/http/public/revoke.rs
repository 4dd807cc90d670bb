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
    domain::{Authority, client_auth::Presented},
    http::{Shared, answer, body, error::OauthFailure, public::basic},
};

/// Takes a token of the client back.
pub(super) async fn revoke(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let arrived = Instant::now();
    let revoked = taken_back(&authority, arrived, &headers, body).await;
    revoked.map_err(OauthFailure::with_newline)?;
    Ok(answer::uncached(answer::empty(StatusCode::OK)))
}

async fn taken_back(
    authority: &Authority,
    arrived: Instant,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), OauthFailure> {
    let parameters = body::parameters(headers, body).await?;
    let token = parameters
        .iter()
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.clone());
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrived, basic(headers)?, &request);
    let row = authority.authenticate(&presented).await?;
    if let Some(token) = token {
        authority.revoke(&row.client, &token).await?;
    }
    Ok(())
}
