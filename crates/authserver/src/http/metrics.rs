//! How many requests there were and how long they took, under Hydra's names, as Prometheus reads
//! it. Labels have few values whatever is sent: routes and not paths, methods that are known.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use crate::{domain::Authority, http::answer};

/// The content type of what [`encode`] writes; Prometheus reads it since 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The end of each bucket of the durations, in seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// What stands for a path or a method that is not one of the server's.
const OTHER: &str = "other";

/// The counters of a server, for both of its ports.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Kind, Counter>,
    durations: Family<Kind, Histogram>,
    statuses: Family<Outcome, Counter>,
}

/// A kind of request, by what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    method: &'static str,
    endpoint: String,
    code: u16,
}

/// The same, more roughly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    method: &'static str,
    status_bucket: &'static str,
}

impl Metrics {
    /// Counters at zero.
    pub(crate) fn new(authority: &Authority) -> Self {
        let labels = [
            ("app", "carnet".to_owned()),
            ("version", authority.options.version.clone()),
        ];
        let labels = labels.map(|(name, value)| (Cow::Borrowed(name), Cow::Owned(value)));
        let mut registry = Registry::with_labels(labels.into_iter());
        let (requests, statuses) = (Family::default(), Family::default());
        let durations =
            Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register(
            "http_requests",
            "Requests that were answered",
            requests.clone(),
        );
        registry.register(
            "http_requests_duration_seconds",
            "Time from the head of a request to the head of its answer",
            durations.clone(),
        );
        registry.register(
            "http_requests_statuses",
            "Requests by the class of their status",
            statuses.clone(),
        );
        authority.counters.register(&mut registry);
        Self {
            registry,
            requests,
            durations,
            statuses,
        }
    }

    fn count(&self, method: &'static str, response: &Response, started: Instant) {
        let route = response.extensions().get::<MatchedPath>();
        let kind = Kind {
            method,
            endpoint: route.map_or(OTHER, MatchedPath::as_str).to_owned(),
            code: response.status().as_u16(),
        };
        let outcome = Outcome {
            method,
            status_bucket: class(response.status()),
        };
        self.requests.get_or_create(&kind).inc();
        let seconds = started.elapsed().as_secs_f64();
        self.durations.get_or_create(&kind).observe(seconds);
        self.statuses.get_or_create(&outcome).inc();
    }

    fn text(&self) -> Response {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(error = %error, "the metrics could not be written");
            return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        }
        answer::with(StatusCode::OK, OPEN_METRICS, text)
    }
}

/// Requests and their durations, in OpenMetrics' text.
#[utoipa::path(get, path = "/admin/metrics/prometheus", tag = "server", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn prometheus(Extension(metrics): Extension<Arc<Metrics>>) -> Response {
    metrics.text()
}

/// Counts what a router answers; its routes must be [`noted`].
pub(crate) fn counted(router: Router, metrics: &Arc<Metrics>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(metrics), count))
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let (method, started) = (known(request.method()), Instant::now());
    let response = next.run(request).await;
    metrics.count(method, &response, started);
    response
}

/// Tells those outside of a router which of its routes a request took.
pub(super) fn noted(router: Router) -> Router {
    router.layer(from_fn(note))
}

async fn note(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// The name of a method, one of few.
pub(super) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
