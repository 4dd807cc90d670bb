//! `/userinfo`, as machines see it. The token is in the Authorization header or in a form
//! (RFC 6750); one in the query is not looked at.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use carnet_oauth::{ErrorBody, ErrorCode};

use crate::{
    domain::TokenError,
    http::{Shared, answer, body, error::OauthFailure},
};

/// What the token says about its bearer.
pub(super) async fn userinfo(
    State(authority): Shared,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let token = match bearer(&method, &headers, body).await {
        Ok(token) => token,
        Err(failure) => return failure.into_response(),
    };
    match authority.userinfo(&token).await {
        Ok(info) => answer::json(StatusCode::OK, answer::JSON, &info),
        Err(TokenError::Refused(error)) => {
            let mut response = answer::json(
                StatusCode::UNAUTHORIZED,
                answer::ERROR_JSON,
                &ErrorBody::from(&error),
            );
            let challenge = format!(
                "Bearer error=\"{}\",error_description=\"{}\"",
                error.code.as_str(),
                error.description
            );
            answer::set_text(&mut response, header::WWW_AUTHENTICATE, &challenge);
            response
        }
        Err(error) => OauthFailure::with_newline(error).into_response(),
    }
}

/// The token of the request; empty when there is none.
async fn bearer(method: &Method, headers: &HeaderMap, body: Body) -> Result<String, OauthFailure> {
    let in_header = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    });
    let in_form = if method == Method::POST {
        let parameters = body::parameters(headers, body)
            .await
            .map_err(OauthFailure::with_newline)?;
        parameters
            .into_iter()
            .find(|(name, _)| name == "access_token")
            .map(|(_, token)| token)
    } else {
        None
    };
    if in_header.is_some() && in_form.is_some() {
        let text = "The token is in more than one place.";
        let error = TokenError::refused(ErrorCode::InvalidRequest, text);
        return Err(OauthFailure::with_newline(error));
    }
    Ok(in_header.or(in_form).unwrap_or_default())
}
