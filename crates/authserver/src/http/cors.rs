//! Cross-origin requests, where they are switched on. Pages of allowed origins may read answers;
//! whoever is not a browser notices nothing. A client's own origins count for the answers that it
//! gets with its credentials.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn},
    response::Response,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::options::Cors;

/// The origins of the client that an answer is for.
#[derive(Debug, Clone)]
pub(super) struct ClientOrigins(pub(super) Vec<String>);

/// A router whose answers say which pages may read them.
pub(super) fn allow(router: Router, cors: &Cors) -> Router {
    let finish = cors.clone();
    router
        .layer(layer(cors))
        .layer(from_fn(move |request, next| {
            // The layers of a router live as long as it does.
            let cors = finish.clone();
            async move { finished(&cors, request, next).await }
        }))
}

fn layer(cors: &Cors) -> CorsLayer {
    let origins = cors.allowed_origins.clone();
    let is_allowed = move |origin: &HeaderValue, _: &Parts| allows(&origins, origin);
    let methods = cors.allowed_methods.iter();
    let methods = methods.filter_map(|name| Method::from_bytes(name.as_bytes()).ok());
    let headers = match cors.allowed_headers.iter().any(|name| name == "*") {
        true => AllowHeaders::mirror_request(),
        false => AllowHeaders::list(names(&cors.allowed_headers)),
    };
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods(methods.collect::<Vec<_>>())
        .allow_headers(headers)
        .expose_headers(names(&cors.exposed_headers))
        .allow_credentials(may_carry_credentials(cors));
    match cors.max_age.is_zero() {
        true => layer,
        false => layer.max_age(cors.max_age),
    }
}

/// Takes permissions back where there is no origin to have them, and adds those of the client.
async fn finished(cors: &Cors, request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    if is_preflight && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    let client = response.extensions_mut().remove::<ClientOrigins>();
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return response;
    }
    for name in [
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(name);
    }
    let is_clients = |origin: &HeaderValue| {
        client.is_some_and(|ClientOrigins(origins)| allows(&origins, origin))
    };
    match origin.filter(is_clients) {
        Some(origin) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if may_carry_credentials(cors) {
                let yes = HeaderValue::from_static("true");
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            }
        }
        None => {
            headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        }
    }
    response
}

fn names(texts: &[String]) -> Vec<HeaderName> {
    let names = texts.iter();
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Any page of the world must not speak in its visitors' names.
fn may_carry_credentials(cors: &Cors) -> bool {
    cors.allow_credentials && !cors.allowed_origins.iter().any(|origin| origin == "*")
}

/// Whether an origin is one of those allowed.
fn allows(allowed: &[String], origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let origin = origin.to_ascii_lowercase();
    allowed.iter().any(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.split_once('*') {
            Some(("", "")) => true,
            Some((before, after)) => origin
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(is_part_of_a_host),
            None => pattern == origin,
        }
    })
}

fn is_part_of_a_host(text: &str) -> bool {
    let is_of_a_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !text.is_empty() && text.chars().all(is_of_a_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_part_of_a_host() {
        for (pattern, origin, expected) in [
            ("https://app.example", "https://app.example", true),
            ("https://app.example", "https://APP.example", true),
            ("https://app.example", "http://app.example", false),
            ("https://app.example", "https://app.example.evil", false),
            ("https://*.wild.example", "https://a.wild.example", true),
            ("https://*.wild.example", "https://wild.example", false),
            ("https://*.wild.example", "https://.wild.example", false),
            (
                "https://*.wild.example",
                "https://evil/.wild.example",
                false,
            ),
            ("https://*", "https://any.example", true),
            ("https://*", "https://any.example:8443", false),
            ("*", "null", true),
            ("https://app.example", "null", false),
        ] {
            let origin = HeaderValue::from_static(origin);
            assert_eq!(
                allows(&[pattern.to_owned()], &origin),
                expected,
                "{pattern} {origin:?}"
            );
        }
    }
}
