//! Which scripts may ask and read.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::body::{Body, Request, Response};

const TRUE: HeaderValue = HeaderValue::from_static("true");
/// Seconds for which browsers need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Whether a browser asks for a script whether it may call.
pub(super) fn is_preflight(request: &Request) -> bool {
    let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
    let wanted = wanted.and_then(|wanted| wanted.to_str().ok());
    let wanted = wanted.unwrap_or_default().to_ascii_lowercase();
    *request.method() == Method::OPTIONS && wanted.contains("x-grpc-web")
}

/// Where a script comes from; `None`: from nowhere that may ask.
pub(super) struct Asker(Option<HeaderValue>);

impl Asker {
    pub(super) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let origin = headers.get(ORIGIN);
        let is_it = |allowed: &String| {
            let origin = origin.map(HeaderValue::as_bytes).unwrap_or_default();
            *allowed == "*" || allowed.as_bytes() == origin
        };
        Self(origin.filter(|_| allowed.iter().any(is_it)).cloned())
    }

    /// The answer to a browser that asks.
    pub(super) fn preflight(&self, asked: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        headers.insert(VARY, HeaderValue::from_static(vary));
        let method = asked.get(ACCESS_CONTROL_REQUEST_METHOD);
        let is_served = method.is_some_and(|method| method == "POST");
        let (Self(Some(origin)), Some(method), true) = (self, method, is_served) else {
            return response;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }

    /// Lets the script read an answer.
    pub(super) fn answered(&self, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Self(Some(origin)) = self {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
    }
}
