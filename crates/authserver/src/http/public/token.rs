//! `POST /oauth2/token` (RFC 6749, section 3.2). Only the body and the Authorization header count,
//! never the query.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::token_request::TokenRequest;

use crate::{
    domain::client_auth::Presented,
    http::{
        Shared, answer, body, caller::Caller, cors::ClientOrigins, error::OauthFailure,
        public::basic,
    },
};

/// Gives a token for credentials.
pub(super) async fn token(
    State(authority): Shared,
    Caller(arrival): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthFailure> {
    let parameters = body::parameters(&headers, body).await?;
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrival, basic(&headers)?, &request);
    let issued = authority.grant(&presented, &request).await?;
    let mut response = answer::uncached(answer::bare_json(
        StatusCode::OK,
        answer::OAUTH_JSON,
        &issued.token,
    ));
    let origins = ClientOrigins(issued.client_origins);
    response.extensions_mut().insert(origins);
    Ok(response)
}
