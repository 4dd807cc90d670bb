//! `POST /oauth2/revoke` (RFC 7009). The answer does not tell what the token was.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::token_request::TokenRequest;

use crate::{
    domain::{
        Authority,
        client_auth::{Arrival, Presented},
    },
    http::{Shared, answer, body, caller::Caller, error::OauthFailure, public::basic},
};

/// Takes a token of the client back.
pub(super) async fn revoke(
    State(authority): Shared,
    Caller(arrival): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let revoked = taken_back(&authority, arrival, &headers, body).await;
    revoked.map_err(OauthFailure::with_newline)?;
    Ok(answer::uncached(answer::empty(StatusCode::OK)))
}

async fn taken_back(
    authority: &Authority,
    arrival: Arrival,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), OauthFailure> {
    let parameters = body::parameters(headers, body).await?;
    let token = parameters
        .iter()
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.clone());
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrival, basic(headers)?, &request);
    let client = authority.authenticate(&presented).await?;
    if let Some(token) = token {
        authority.revoke(&client, &token).await?;
    }
    Ok(())
}
