//! What may follow a request's body: never a field that the head has, or that says whose the
//! request is, where it goes or how it is framed (RFC 9110 section 6.5.1). A backend that merges
//! trailers into headers would believe it.

use http::HeaderMap;
use http_body::Frame;

use crate::body::Request;

/// Names that never follow a body, beside those of the head and `X-Forwarded-*`.
const FORBIDDEN: [&str; 24] = [
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded",
    "x-real-ip",
    "x-scheme",
];

/// Lets only harmless trailers follow a body of which nobody knows whether some will.
pub(super) fn guard(request: &mut Request) {
    let head = request.headers().keys().map(|name| folded(name.as_str()));
    let head: Vec<String> = head.collect();
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = body.passed(move |frame| match frame.trailers_ref() {
        Some(trailers) => Frame::trailers(harmless(trailers, &head)),
        None => frame,
    });
}

/// As a program reads it that takes headers for variables: `x_real_ip` is `x-real-ip`.
fn folded(name: &str) -> String {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(fold).collect()
}

/// Those that may follow a head with these names.
fn harmless(trailers: &HeaderMap, head: &[String]) -> HeaderMap {
    let may_follow = |name: &str| {
        let name = folded(name);
        let is_forbidden = FORBIDDEN.contains(&name.as_str()) || head.contains(&name);
        !is_forbidden && !name.starts_with("x-forwarded-")
    };
    let fields = trailers.iter();
    fields
        .filter(|(name, _)| may_follow(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .fold(HeaderMap::new(), |mut kept, (name, value)| {
            kept.append(name, value);
            kept
        })
}
