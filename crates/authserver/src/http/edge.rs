//! What happens to every request before and after its endpoint: one slash at the end is cut, old
//! paths of the admin API get their prefix, caches are told to keep nothing.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::{Next, from_fn},
    response::Response,
};

use crate::{
    http::{answer, cors, metrics, serve, trace},
    options::Options,
};

/// Whatever is read here may change at any time.
const NOTHING_KEPT: &str = "private, no-cache, no-store, must-revalidate";

/// One of the two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// For everybody.
    Public,
    /// For administrators.
    Admin,
}

/// A router whose requests were prepared before they are routed, and came by TLS where the port
/// has it.
pub(super) fn around(router: Router, port: Port, options: &Options) -> Router {
    let (cors, told) = match port {
        Port::Public => (&options.public_cors, &options.ports.public),
        Port::Admin => (&options.admin_cors, &options.ports.admin),
    };
    let traced = match &options.ports.trace_parent {
        Some(parent) => trace::traced(router, parent.clone()),
        None => router,
    };
    let prepared = Router::new()
        .fallback_service(metrics::noted(traced))
        .layer(from_fn(move |request, next| prepare(port, request, next)));
    let shared = match cors {
        Some(cors) => cors::allow(prepared, cors),
        None => prepared,
    };
    match &told.tls {
        Some(tls) => serve::guarded(shared, &tls.allow_termination_from),
        None => shared,
    }
}

async fn prepare(port: Port, mut request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let mut response = match rewritten(port, request.uri()) {
        Path::Same => next.run(request).await,
        Path::Other(uri) => {
            *request.uri_mut() = uri;
            next.run(request).await
        }
        Path::Elsewhere(location) => redirect(&location),
    };
    tidy_allow(&mut response);
    let headers = response.headers_mut();
    if is_get && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(NOTHING_KEPT),
        );
    }
    response
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
enum Path {
    Same,
    Other(Uri),
    /// The client is sent to the clean path.
    Elsewhere(String),
}

fn rewritten(port: Port, uri: &Uri) -> Path {
    let original = uri.path();
    let trimmed = match original.strip_suffix('/') {
        None | Some("") => original,
        Some(trimmed) => trimmed,
    };
    if trimmed.contains("//") {
        return Path::Elsewhere(clean(trimmed));
    }
    let is_admin = trimmed == "/admin" || trimmed.starts_with("/admin/");
    let path = match port {
        Port::Admin if !is_admin && trimmed != "/" => format!("/admin{trimmed}"),
        _ if trimmed == original => return Path::Same,
        _ => trimmed.to_owned(),
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let Ok(path_and_query) = text.parse::<PathAndQuery>() else {
        return Path::Same;
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).map_or(Path::Same, Path::Other)
}

fn clean(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::new(), |clean, segment| clean + "/" + segment)
}

fn redirect(location: &str) -> Response {
    let mut response = answer::empty(StatusCode::TEMPORARY_REDIRECT);
    answer::set_text(&mut response, header::LOCATION, location);
    response
}

/// `Allow` as Hydra writes it, and only where the method was wrong.
fn tidy_allow(response: &mut Response) {
    let is_wrong_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let Some(allow) = response.headers_mut().remove(header::ALLOW) else {
        return;
    };
    if !is_wrong_method {
        return;
    }
    let mut methods: Vec<&str> = allow
        .to_str()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    methods.sort_unstable();
    answer::set_text(response, header::ALLOW, &methods.join(", "));
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_trimmed_prefixed_and_cleaned() {
        let other = |text: &str| Path::Other(text.parse().unwrap());
        for (port, path, expected) in [
            (Port::Public, "/oauth2/token", Path::Same),
            (
                Port::Public,
                "/oauth2/token/?a=1",
                other("/oauth2/token?a=1"),
            ),
            (Port::Public, "/oauth2/token//", other("/oauth2/token/")),
            (Port::Public, "/", Path::Same),
            (Port::Public, "/admin/clients", Path::Same),
            (Port::Admin, "/", Path::Same),
            (Port::Admin, "/admin/clients", Path::Same),
            (Port::Admin, "/clients?x=1", other("/admin/clients?x=1")),
            (Port::Admin, "/health/alive/", other("/admin/health/alive")),
            (Port::Admin, "/admin/admin/clients", Path::Same),
            (Port::Admin, "/clients/a%2Fb", other("/admin/clients/a%2Fb")),
            (
                Port::Admin,
                "/admin//clients",
                Path::Elsewhere("/admin/clients".to_owned()),
            ),
            (
                Port::Public,
                "//evil.example/x",
                Path::Elsewhere("/evil.example/x".to_owned()),
            ),
        ] {
            let uri: Uri = PathAndQuery::from_static(path).into();
            assert_eq!(rewritten(port, &uri), expected, "{path}");
        }
    }
}
