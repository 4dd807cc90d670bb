//! `POST /oauth2/token` (RFC 6749, section 3.2). Only the body and the Authorization header count,
//! never the query.

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
    http::{Shared, answer, body, cors::ClientOrigins, error::OauthFailure, public::basic},
};

/// Gives a token for credentials.
pub(super) async fn token(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let arrived = Instant::now();
    let parameters = body::parameters(&headers, body).await?;
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrived, basic(&headers)?, &request);
    let issued = authority.grant(&presented, &request).await?;
    let mut response = answer::uncached(answer::bare_json(
        StatusCode::OK,
        answer::OAUTH_JSON,
        &issued.token,
    ));
    if !issued.client_origins.is_empty() {
        let origins = ClientOrigins(issued.client_origins);
        response.extensions_mut().insert(origins);
    }
    Ok(response)
}
