//! `/userinfo`, as machines see it. The token is in the Authorization header or in a form
//! (RFC 6750); one in the query is not looked at. One that is bound comes with
//! what it is bound to.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
};
use carnet_oauth::ErrorCode;
use secrecy::ExposeSecret as _;

use crate::{
    domain::{
        Authority, TokenError,
        bound::{self, Showing},
        userinfo::UserInfo,
    },
    http::{
        Shared, answer, body,
        caller::Caller,
        error::{BearerFailure, DPOP_NONCE},
    },
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
    request: Request,
) -> Result<Response, BearerFailure> {
    let (head, _) = request.into_parts();
    let shown = shown(&head.headers, Vec::new())?;
    told(&authority, &head, shown).await
}

/// The same, for a token in a form.
#[utoipa::path(post, path = "/userinfo", tag = "tokens", request_body(content = BearerForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, content((Object = "application/json"), (String = "application/jwt"))), BearerFailure), security((), ("bearer" = [])))]
pub(super) async fn post(
    State(authority): Shared,
    request: Request,
) -> Result<Response, BearerFailure> {
    let (head, body) = request.into_parts();
    let form = body::parameters(&head.headers, body).await?;
    let shown = shown(&head.headers, form)?;
    told(&authority, &head, shown).await
}

async fn told(
    authority: &Authority,
    head: &Parts,
    shown: Shown,
) -> Result<Response, BearerFailure> {
    let Caller(arrival) = Caller::of(head, authority);
    let uris = authority.options.endpoints("/userinfo");
    let showing = Showing {
        is_proven: shown.is_proven,
        request: bound::Request {
            method: head.method.as_str(),
            uris: &uris,
        },
        arrival: &arrival,
    };
    let mut response = match authority.userinfo(&shown.token, &showing).await? {
        UserInfo::Plain(info) => answer::json(StatusCode::OK, answer::JSON, &info),
        UserInfo::Signed(text) => {
            answer::with(StatusCode::OK, JWT, text.expose_secret().to_owned())
        }
    };
    if let Some(nonce) = authority.next_nonce().filter(|_| shown.is_proven) {
        answer::set_text(&mut response, DPOP_NONCE, &nonce);
    }
    Ok(response)
}

/// The token of a request; empty when there is none.
#[derive(Default)]
struct Shown {
    token: String,
    /// Whether by the scheme `DPoP` (RFC 9449, section 7.1).
    is_proven: bool,
}

fn shown(headers: &HeaderMap, form: Vec<(String, String)>) -> Result<Shown, BearerFailure> {
    let in_header = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let is_proven = scheme.eq_ignore_ascii_case("dpop");
        let token = token.trim().to_owned();
        (is_proven || scheme.eq_ignore_ascii_case("bearer")).then_some(Shown { token, is_proven })
    });
    let in_form = form.into_iter().find(|(name, _)| name == "access_token");
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "The token is in more than one place.",
        ))?,
        (Some(shown), None) => Ok(shown),
        (None, Some((_, token))) => Ok(Shown {
            token,
            is_proven: false,
        }),
        (None, None) => Ok(Shown::default()),
    }
}
