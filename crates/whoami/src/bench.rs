//! `/bench`: the smallest answer there is, for load tests.

use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use crate::response::{Response, full};

/// The headers of the answer, as the original sets them.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (CONNECTION, HeaderValue::from_static("keep-alive")),
    (CONTENT_TYPE, HeaderValue::from_static("text/plain")),
];

/// `1`.
pub(crate) fn answer() -> Response {
    let mut response = full("1");
    response.headers_mut().extend(HEADERS);
    response
}
