//! Answers of the gateway's own, which nobody keeps.

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderValue, Method};

use crate::body::Response;
use crate::error::Fault;
use crate::middleware::Exchange;
use crate::respond;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An answer, or that to a fault.
pub(super) fn told(outcome: Result<Response, Fault>, exchange: &Exchange) -> Response {
    outcome.unwrap_or_else(|fault| unkept(respond::to_fault(&fault, exchange)))
}

/// Sends a person elsewhere; what was asked for is not sent along.
pub(super) fn sent_to(url: &str) -> Result<Response, Fault> {
    respond::redirect(&Method::GET, url, false).map(unkept)
}

/// The same, kept by nobody.
pub(super) fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// The same with these cookies, which nobody else may be given.
pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    }
    response
}
