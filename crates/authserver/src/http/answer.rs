//! Answers, in the forms that Hydra's clients know: bodies of the token endpoint have no newline at
//! their end, all others have one; errors of the admin API name no charset.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

/// The content type of the endpoints of RFC 6749 and its family.
pub(super) const OAUTH_JSON: &str = "application/json;charset=UTF-8";

/// The content type of everything else that is JSON.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// The content type of errors of the admin API.
pub(super) const ERROR_JSON: &str = "application/json";

/// The content type of texts.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// An answer with a content type.
pub(super) fn with(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, content_type);
    response
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// JSON without a newline.
pub(super) fn bare_json(
    status: StatusCode,
    content_type: &'static str,
    value: &impl Serialize,
) -> Response {
    text_of(value).map_or_else(broken, |body| with(status, content_type, body))
}

/// JSON with a newline at its end.
pub(super) fn json(
    status: StatusCode,
    content_type: &'static str,
    value: &impl Serialize,
) -> Response {
    text_of(value).map_or_else(broken, |body| with(status, content_type, body + "\n"))
}

fn text_of(value: &impl Serialize) -> Option<String> {
    // As Go's encoder does: what a request sent must not come back as markup.
    let escaped = |text: String| match memchr::memchr3(b'<', b'>', b'&', text.as_bytes()) {
        Some(_) => text
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026"),
        None => text,
    };
    serde_json::to_string(value)
        .map(escaped)
        .inspect_err(|error| tracing::error!(error = %error, "an answer could not be written"))
        .ok()
}

fn broken() -> Response {
    empty(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A text that browsers must take as one.
pub(super) fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = with(status, TEXT, format!("{text}\n"));
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Tells caches to keep nothing (RFC 6749, section 5.1).
pub(super) fn uncached(mut response: Response) -> Response {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::PRAGMA, "no-cache");
    response
}

/// Sets a header.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// Sets a header to a value made at run time; one that is no header value is left out.
pub(super) fn set_text(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
