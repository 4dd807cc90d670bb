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
    http::{
        Shared, answer, body,
        caller::Caller,
        error::{ClientFailure, OauthFailure},
        public::{basic, token::CredentialsForm},
    },
};

/// A token to take back (RFC 7009, section 2.1).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct RevocationForm {
    /// The token; one of another client, or none at all, is left alone without a word.
    token: Option<String>,
    /// Accepted, and without effect.
    token_type_hint: Option<String>,
    #[serde(flatten)]
    credentials: CredentialsForm,
}

/// Takes a token of the client back.
#[utoipa::path(post, path = "/oauth2/revoke", tag = "tokens", request_body(content = RevocationForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, description = "The token does not count any more"), ClientFailure), security((), ("basic" = [])))]
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
    let row = authority.authenticate(&presented).await?;
    if let Some(token) = token {
        authority.revoke(&row.client, &token).await?;
    }
    Ok(())
}
