//! What happens to every request before and after its endpoint: it is counted and logged; one slash
//! at the end is cut, old paths of the admin API get their prefix, caches are told to keep nothing.
//!
//! All of this is one function around the router: each layer of a router costs as much as the
//! smaller half of an endpoint. Layers are for what is seldom switched on.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery},
    response::Response,
};
use tower_service::Service as _;

use crate::{
    http::{
        answer, cors,
        metrics::{Endpoint, Endpoints, Metrics},
        request_log::Rules,
        serve, trace,
    },
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

/// Everything that a port answers.
#[derive(Debug)]
pub(crate) struct Edge {
    prepared: Prepared,
    /// The same behind the guards that the options ask for: origins of pages, TLS.
    guarded: Option<Router>,
    rules: Rules,
    metrics: Arc<Metrics>,
}

/// The routes, and what prepares requests for them.
#[derive(Debug, Clone)]
struct Prepared {
    port: Port,
    routes: Router,
    endpoints: Arc<Endpoints>,
}

impl Edge {
    /// What surrounds the routes of a port.
    pub(super) fn new(
        (routes, endpoints): (Router, Endpoints),
        port: Port,
        options: &Options,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (cors, told) = match port {
            Port::Public => (&options.public_cors, &options.ports.public),
            Port::Admin => (&options.admin_cors, &options.ports.admin),
        };
        let routes = match &options.ports.trace_parent {
            Some(parent) => trace::traced(routes, parent.clone()),
            None => routes,
        };
        let prepared = Prepared {
            port,
            routes,
            endpoints: Arc::new(endpoints),
        };
        let shared = cors
            .as_ref()
            .map(|cors| cors::allow(prepared.router(), cors));
        let guarded = match &told.tls {
            Some(tls) => {
                let inner = shared.unwrap_or_else(|| prepared.router());
                Some(serve::guarded(inner, &tls.allow_termination_from))
            }
            None => shared,
        };
        Self {
            prepared,
            guarded,
            rules: Rules::new(told, &options.ports.request_log),
            metrics,
        }
    }

    /// The answer to a request.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let begun = self.metrics.begin(request.method());
        let line = self.rules.begin(&request);
        let (response, endpoint) = match &self.guarded {
            None => self.prepared.answer(request).await,
            Some(guarded) => {
                let Ok(mut response) = guarded.clone().call(request).await;
                let endpoint = response.extensions_mut().remove();
                (response, endpoint)
            }
        };
        self.metrics
            .count(&begun, endpoint.as_deref(), response.status());
        if let Some(line) = line {
            self.rules.end(line, &response);
        }
        response
    }
}

impl Prepared {
    /// As a router, for layers; its answers tell their endpoint.
    fn router(&self) -> Router {
        let prepared = self.clone();
        Router::new().fallback(move |request: Request| async move {
            let (mut response, endpoint) = prepared.answer(request).await;
            if let Some(endpoint) = endpoint {
                response.extensions_mut().insert(endpoint);
            }
            response
        })
    }

    /// The answer, and the endpoint that it is from.
    async fn answer(&self, mut request: Request) -> (Response, Option<Arc<Endpoint>>) {
        let is_get = request.method() == Method::GET;
        let (mut response, endpoint) = match rewritten(self.port, request.uri()) {
            Path::Same => self.routed(request).await,
            Path::Other(uri) => {
                *request.uri_mut() = uri;
                self.routed(request).await
            }
            Path::Elsewhere(location) => (redirect(&location), None),
        };
        tidy_allow(&mut response);
        let headers = response.headers_mut();
        if is_get && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static(NOTHING_KEPT),
            );
        }
        (response, endpoint)
    }

    async fn routed(&self, request: Request) -> (Response, Option<Arc<Endpoint>>) {
        let endpoint = self.endpoints.find(request.uri().path());
        let Ok(response) = self.routes.clone().call(request).await;
        (response, endpoint)
    }
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
    answer::set(&mut response, header::CONTENT_LENGTH, "0");
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
