//! Faults to responses: the only place where an error becomes a status.
//!
//! Bodies and headers are Traefik's, byte for byte, where it has such an answer: some end with
//! a newline and carry a content type, others do neither.

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};

use crate::body::{Body, Response};
use crate::error::{Fault, Reason, Side};
use crate::middleware::Exchange;

/// Sent with a 401 of the gateway's own.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"carnet\", charset=\"UTF-8\"");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The response to a fault, which is logged here and nowhere else.
pub(crate) fn to_fault(fault: &Fault, exchange: &Exchange) -> Response {
    exchange.note(|record| record.fault = Some(fault.reason()));
    log(fault, exchange);
    let mut response = Response::new(Body::from(fault.text()));
    *response.status_mut() = status(fault.reason());
    let headers = response.headers_mut();
    match fault.reason() {
        // What Go's `http.Error` writes.
        Reason::Misdirected | Reason::NoRoute | Reason::NoServer | Reason::BodyTooLarge => {
            headers.insert(CONTENT_TYPE, PLAIN);
            headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        }
        Reason::CallerUnauthenticated => {
            headers.insert(CONTENT_TYPE, PLAIN);
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        // Which token is wanted says the middleware that wants it.
        Reason::TokenMissing
        | Reason::TokenInvalid
        | Reason::ProofInvalid
        | Reason::NonceMissing => {
            headers.insert(CONTENT_TYPE, PLAIN);
        }
        _ => {}
    }
    if let Some(wait) = fault.wait() {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer of a middleware that is nothing but a status: its words are the body.
pub(crate) fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(status.canonical_reason().unwrap_or_default()));
    *response.status_mut() = status;
    response
}

/// Sends the client elsewhere, as Traefik's redirections do.
///
/// # Errors
/// When the place is no header value.
pub(crate) fn redirect(
    method: &Method,
    location: &str,
    permanent: bool,
) -> Result<Response, Fault> {
    let location = HeaderValue::from_str(location)
        .map_err(|error| Fault::new(Reason::BadRequest).because(error))?;
    let mut response = with_status(match (permanent, *method == Method::GET) {
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (true, false) => StatusCode::PERMANENT_REDIRECT,
        (false, true) => StatusCode::FOUND,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
    });
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// The status that a reason is answered with.
pub(crate) fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::BadRequest => StatusCode::BAD_REQUEST,
        Reason::ConnectMethod => StatusCode::NOT_IMPLEMENTED,
        Reason::TraceMethod => StatusCode::METHOD_NOT_ALLOWED,
        Reason::UnknownExpectation => StatusCode::EXPECTATION_FAILED,
        Reason::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Reason::NoRoute => StatusCode::NOT_FOUND,
        Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::RouterClosed
        | Reason::NoServer
        | Reason::NoRoom
        | Reason::TokenEndpointUnavailable
        | Reason::TokenUnverifiable => StatusCode::SERVICE_UNAVAILABLE,
        // Nginx's number, as Traefik logs it. No client is left to read it.
        Reason::ClientGone => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Reason::CallerUnauthenticated
        | Reason::TokenMissing
        | Reason::TokenInvalid
        | Reason::ProofInvalid
        | Reason::NonceMissing => StatusCode::UNAUTHORIZED,
        Reason::CallerForbidden | Reason::ClaimsUnsatisfied => StatusCode::FORBIDDEN,
        Reason::TokenEndpointAnswer
        | Reason::TokenRefused
        | Reason::UpstreamName
        | Reason::UpstreamConnect
        | Reason::UpstreamTls
        | Reason::UpstreamBroken => StatusCode::BAD_GATEWAY,
        Reason::TokenEndpointTimeout
        | Reason::UpstreamDialTimeout
        | Reason::UpstreamHeaderTimeout => StatusCode::GATEWAY_TIMEOUT,
        Reason::Loop => StatusCode::LOOP_DETECTED,
        Reason::AuthService | Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A client's doing is no news, what is closed was reported when the configuration came, keys that are
/// out of reach when they were looked for, and want of memory is told once a second.
fn log(fault: &Fault, exchange: &Exchange) {
    let reason = fault.reason().label();
    let router = exchange.router().unwrap_or_default();
    match (fault.side(), fault.reason()) {
        (Side::Client, _)
        | (
            _,
            Reason::RouterClosed | Reason::NoServer | Reason::NoRoom | Reason::TokenUnverifiable,
        ) => {
            tracing::debug!(reason, route.name = router, error = %fault, "request refused");
        }
        (Side::Upstream | Side::Gateway, _) => {
            tracing::warn!(reason, route.name = router, error = %fault, "request failed");
        }
    }
}
