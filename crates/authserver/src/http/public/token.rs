//! `POST /oauth2/token` (RFC 6749, section 3.2). Only the body and the Authorization header count,
//! never the query.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use carnet_oauth::{token_request::TokenRequest, token_response::TokenResponse};

use crate::{
    domain::client_auth::Presented,
    http::{
        Shared, answer, body,
        caller::Caller,
        cors::ClientOrigins,
        error::{ClientFailure, OauthFailure},
        public::basic,
    },
};

/// How a client says who it is when it does not do so in a header.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
pub(super) struct CredentialsForm {
    /// The client.
    client_id: Option<String>,
    /// Its secret, of method `client_secret_post`.
    client_secret: Option<String>,
    /// A signed assertion (RFC 7523), of method `private_key_jwt`.
    client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// A request for a token (RFC 6749, section 4.4.2).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct TokenForm {
    /// `client_credentials`, or another of `grant_types_supported`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Scopes with spaces in between.
    #[schema(example = "read")]
    scope: Option<String>,
    /// Audiences with spaces in between.
    #[schema(example = "https://api.example")]
    audience: Option<String>,
    /// An audience (RFC 8707).
    resource: Option<String>,
    #[serde(flatten)]
    credentials: CredentialsForm,
}

/// Gives a token for credentials.
#[utoipa::path(post, path = "/oauth2/token", tag = "tokens", request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = TokenResponse, headers(("Cache-Control" = String), ("Pragma" = String))), ClientFailure), security((), ("basic" = [])))]
pub(super) async fn token(
    State(authority): Shared,
    request: Request,
) -> Result<Response, OauthFailure> {
    let (head, body) = request.into_parts();
    let Caller(arrival) = Caller::of(&head, &authority);
    let parameters = body::parameters(&head.headers, body).await?;
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrival, basic(&head.headers)?, &request);
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
