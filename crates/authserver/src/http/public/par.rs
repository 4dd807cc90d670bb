//! `POST /oauth2/par` (RFC 9126): a client brings its request before a browser comes.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use carnet_oauth::token_request::TokenRequest;

use crate::{
    domain::{authorize::pushed::PushedAuthorization, client_auth::Presented},
    http::{
        Shared, answer, body,
        caller::Caller,
        error::{ClientFailure, OauthFailure},
        public::basic,
    },
};

/// Gives a name to a request.
#[utoipa::path(post, path = "/oauth2/par", tag = "people", request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses((status = 201, body = PushedAuthorization, headers(("Cache-Control" = String), ("Pragma" = String))), ClientFailure), security((), ("basic" = [])))]
pub(super) async fn par(
    State(authority): Shared,
    request: Request,
) -> Result<Response, OauthFailure> {
    let (head, body) = request.into_parts();
    let Caller(arrival) = Caller::of(&head, &authority);
    let parameters = body::parameters(&head.headers, body).await?;
    let request = TokenRequest::from_parameters(parameters.clone())?;
    let presented = Presented::new(arrival, basic(&head.headers)?, &request);
    let pushed = authority.push(&presented, &parameters).await?;
    let response = answer::bare_json(StatusCode::CREATED, answer::OAUTH_JSON, &pushed);
    Ok(answer::uncached(response))
}
