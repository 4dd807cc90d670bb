//! `Via`: which proxies a request passed (RFC 9110 section 7.6.3), where an entry point has a name
//! for the gateway.

use http::header::VIA;
use http::{HeaderValue, Request, Version};

/// Adds the gateway to the proxies that the request has passed, by the protocol it came in.
pub(super) fn tell<B>(request: &mut Request<B>, name: &str) {
    let protocol = match request.version() {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    // The name was checked when it was read.
    if let Ok(value) = HeaderValue::try_from(format!("{protocol} {name}")) {
        request.headers_mut().append(VIA, value);
    }
}
