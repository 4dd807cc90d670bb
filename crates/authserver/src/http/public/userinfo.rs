//! `/userinfo`, as machines see it. The token is in the Authorization header or in a form
//! (RFC 6750); one in the query is not looked at.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use carnet_oauth::ErrorCode;
use secrecy::ExposeSecret as _;

use crate::{
    domain::{Authority, TokenError, userinfo::UserInfo},
    http::{Shared, answer, body, error::BearerFailure},
};

/// The content type of what is signed (OpenID Connect Core, section 5.3.2).
const JWT: &str = "application/jwt";

/// A token in a form (RFC 6750, section 2.2).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct BearerForm {
    /// The token, when it is not in the header.
    access_token: Option<String>,
}

/// What the token says about its bearer.
#[utoipa::path(get, path = "/userinfo", tag = "tokens", responses((status = 200, content((Object = "application/json"), (String = "application/jwt"))), BearerFailure), security((), ("bearer" = [])))]
pub(super) async fn get(
    State(authority): Shared,
    headers: HeaderMap,
) -> Result<Response, BearerFailure> {
    let token = bearer(&headers, Vec::new())?;
    told(&authority, &token).await
}

/// The same, for a token in a form.
#[utoipa::path(post, path = "/userinfo", tag = "tokens", request_body(content = BearerForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, content((Object = "application/json"), (String = "application/jwt"))), BearerFailure), security((), ("bearer" = [])))]
pub(super) async fn post(
    State(authority): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, BearerFailure> {
    let token = bearer(&headers, body::parameters(&headers, body).await?)?;
    told(&authority, &token).await
}

async fn told(authority: &Authority, token: &str) -> Result<Response, BearerFailure> {
    Ok(match authority.userinfo(token).await? {
        UserInfo::Plain(info) => answer::json(StatusCode::OK, answer::JSON, &info),
        UserInfo::Signed(text) => {
            answer::with(StatusCode::OK, JWT, text.expose_secret().to_owned())
        }
    })
}

/// The token of the request; empty when there is none.
fn bearer(headers: &HeaderMap, form: Vec<(String, String)>) -> Result<String, BearerFailure> {
    let in_header = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    });
    let in_form = form.into_iter().find(|(name, _)| name == "access_token");
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "The token is in more than one place.",
        ))?,
        (Some(token), None) | (None, Some((_, token))) => Ok(token),
        (None, None) => Ok(String::new()),
    }
}
