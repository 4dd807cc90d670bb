//! Credentials that callers show, in the readings they allow.

use carnet_oauth::client_auth::{Basic, Credentials};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use secrecy::ExposeSecret as _;

use super::Exchange;
use crate::body::{Body, Response};

/// The credentials in the one `Authorization` header of a request, in their readings. First as
/// written, which is what `curl -u` and every other HTTP client mean (RFC 7617); then form-decoded,
/// as OAuth clients write them (RFC 6749 section 2.3.1), where that differs.
pub(super) fn callers(headers: &HeaderMap) -> Option<Vec<Credentials>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let mut readings = Basic::parse(value.as_bytes())?.readings;
    readings.reverse();
    (!readings.iter().any(is_impossible)).then_some(readings)
}

/// The answer to who shows none, or wrong ones, in Traefik's words.
pub(super) fn unauthorized(challenge: HeaderValue) -> Response {
    let mut response = Response::new(Body::from("401 Unauthorized\n"));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, challenge);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// The same, with why in the log, of which the caller learns nothing.
pub(super) fn refused(
    kind: &str,
    why: &str,
    challenge: &HeaderValue,
    exchange: &Exchange,
) -> Response {
    let router = exchange.router().unwrap_or_default();
    tracing::debug!(
        middleware = kind,
        route.name = router,
        why,
        "request refused"
    );
    unauthorized(challenge.clone())
}

/// No client has an empty id, and none has credentials with control characters in them (RFC 7617
/// section 2).
fn is_impossible(reading: &Credentials) -> bool {
    let has_controls = |text: &str| match text.is_ascii() {
        true => text.bytes().any(|byte| byte.is_ascii_control()),
        false => text.chars().any(char::is_control),
    };
    reading.id.is_empty()
        || has_controls(&reading.id)
        || has_controls(reading.secret.expose_secret())
}
