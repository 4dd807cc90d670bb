//! The answers' type, and the shapes that several paths use.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full};

/// An answer; its body fails when the request's body does.
pub(crate) type Response = http::Response<Body>;

/// The body of an answer.
pub(crate) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, hyper::Error>;

/// What Go says about plain text.
pub(crate) const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An answer whose whole body is known.
pub(crate) fn full(body: impl Into<Bytes>) -> Response {
    let body = Full::new(body.into()).map_err(|never: Infallible| match never {});
    http::Response::new(body.boxed_unsync())
}

/// An answer with this status and nothing more.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = full(Bytes::new());
    *response.status_mut() = status;
    response
}

/// A refusal, in the form of Go's `http.Error`.
pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    let mut response = full(format!("{text}\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, PLAIN_TEXT);
    response.headers_mut().insert(
        http::header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
