//! Paths and methods that are not there. On the public port a page in the form that the client
//! accepts; on the admin port a plain text.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde_json::json;

use crate::http::answer;

const REASON: &str = "There is nothing at this path: check the path, the host and the port.";

const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
    <title>404 - Not Found</title></head>\n<body>\n<h1>404 - Not Found</h1>\n\
    <p>There is nothing at this path: check the path, the host and the port.</p>\n</body>\n\
    </html>\n";

/// The forms of the page, the preferred one first.
const FORMS: [&str; 3] = ["text/html", "text/plain", "application/json"];

/// The 404 of the public port.
pub(super) async fn page(headers: HeaderMap) -> Response {
    let status = StatusCode::NOT_FOUND;
    match accepted(&headers) {
        "application/json" => answer::json(
            status,
            answer::JSON,
            &json!({"error": {"code": 404, "message": "Not Found", "reason": REASON}}),
        ),
        "text/plain" => answer::with(status, answer::TEXT, format!("Error 404 - {REASON}")),
        _ => answer::with(status, "text/html; charset=utf-8", PAGE.to_owned()),
    }
}

/// The 404 of the admin port.
pub(super) async fn text() -> Response {
    answer::plain(StatusCode::NOT_FOUND, "404 page not found")
}

/// The 405 of the admin port, and of the token endpoint.
pub(super) async fn wrong_method() -> Response {
    answer::plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// The form that the client likes best.
fn accepted(headers: &HeaderMap) -> &'static str {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let mut best = (0.0, FORMS[0]);
    for range in accept.unwrap_or_default().split(',') {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters
            .split(';')
            .find_map(|text| text.trim().strip_prefix("q="));
        let quality: f32 = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        let form = FORMS
            .into_iter()
            .find(|form| form.eq_ignore_ascii_case(kind.trim()));
        if let Some(form) = form.filter(|_| quality > best.0) {
            best = (quality, form);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_client_chooses_the_form_of_the_page() {
        for (accept, expected) in [
            ("application/json", "application/json"),
            ("text/plain", "text/plain"),
            ("text/html", "text/html"),
            ("application/xml", "text/html"),
            ("*/*", "text/html"),
            ("text/plain;q=0.5, application/json", "application/json"),
            ("text/plain, application/json;q=0.9", "text/plain"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(accepted(&headers), expected, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), "text/html");
    }
}
