//! `/oauth2/device`: devices ask for codes, and browsers of people bring them (RFC 8628).

use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carnet_oauth::token_request::TokenRequest;

use crate::{
    domain::{client_auth::Presented, device::DeviceAuthorization},
    http::{
        Shared, answer, body,
        caller::Caller,
        cookie,
        error::{ClientFailure, Failed, OauthFailure},
        page,
        public::basic,
    },
};

/// Gives a device its codes.
#[utoipa::path(post, path = "/oauth2/device/auth", tag = "people", request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = DeviceAuthorization, headers(("Cache-Control" = String), ("Pragma" = String))), ClientFailure), security((), ("basic" = [])))]
pub(super) async fn authorize(
    State(authority): Shared,
    request: Request,
) -> Result<Response, OauthFailure> {
    let (head, body) = request.into_parts();
    let Caller(arrival) = Caller::of(&head, &authority);
    let parameters = body::parameters(&head.headers, body).await?;
    let request = TokenRequest::from_parameters(parameters)?;
    let presented = Presented::new(arrival, basic(&head.headers)?, &request);
    let row = authority.authenticate(&presented).await?;
    let told = authority
        .device_authorization(&row.client, &request)
        .await?;
    let response = answer::bare_json(StatusCode::OK, answer::OAUTH_JSON, &told);
    Ok(answer::uncached(response))
}

/// A browser with a code, or on its way to give one.
#[utoipa::path(get, path = "/oauth2/device/verify", tag = "people", params(
    ("user_code" = Option<String>, Query, description = "The code, if it is known already"),
), responses((status = 302, description = "To the application for codes, for login or consent, or to a page"), Failed))]
pub(super) async fn verify(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OauthFailure> {
    let browser = cookie::read(&headers);
    let query = query.unwrap_or_default();
    let onward = authority.verify_device(&query, &browser).await;
    let onward = onward.map_err(|error| OauthFailure::from(error).with_newline())?;
    Ok(page::onward(&authority, onward, true))
}
