//! How many requests there were and how long they took, under Hydra's names, as Prometheus reads
//! it. Labels have few values whatever is sent: routes and not paths, methods that are known.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use axum::{
    Extension,
    http::{Method, StatusCode},
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

/// The methods of usual answers, which are those of status 200.
const USUAL: [&str; 2] = ["GET", "POST"];

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

/// When a request came, and its method.
#[derive(Debug)]
pub(super) struct Begun {
    method: &'static str,
    at: Instant,
}

/// The counters of one kind of answer.
#[derive(Debug)]
struct Answers {
    requests: Counter,
    durations: Histogram,
    statuses: Counter,
}

impl Answers {
    fn count(&self, seconds: f64) {
        self.requests.inc();
        self.durations.observe(seconds);
        self.statuses.inc();
    }
}

/// The paths of a port's routes.
#[derive(Debug, Default)]
pub(super) struct Endpoints(matchit::Router<Arc<Endpoint>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Endpoint {
    path: String,
    /// The counters of its usual answers, at hand: looking them up by their labels costs more than
    /// counting.
    usual: [OnceLock<Answers>; USUAL.len()],
}

impl Endpoints {
    /// The endpoints of some paths, written as routes are.
    pub(super) fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = matchit::Router::new();
        for path in paths {
            let endpoint = Endpoint {
                path: path.to_owned(),
                usual: Default::default(),
            };
            if let Err(error) = table.insert(path, Arc::new(endpoint)) {
                tracing::error!(path, error = %error, "requests of a path are not told apart");
            }
        }
        Self(table)
    }

    /// The one that a path leads to.
    pub(super) fn find(&self, path: &str) -> Option<Arc<Endpoint>> {
        self.0.at(path).ok().map(|found| Arc::clone(found.value))
    }
}

impl Endpoint {
    /// Where the counters of an answer are kept, when it is a usual one, and the path.
    fn usual(&self, method: &str, status: StatusCode) -> Option<(&OnceLock<Answers>, &str)> {
        let place = USUAL.iter().position(|usual| *usual == method)?;
        (status == StatusCode::OK).then_some((&self.usual[place], &self.path))
    }
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

    /// A request that has come.
    pub(super) fn begin(&self, method: &Method) -> Begun {
        Begun {
            method: known(method),
            at: Instant::now(),
        }
    }

    /// Counts its answer, which comes from an endpoint or from before all of them.
    pub(super) fn count(&self, begun: &Begun, endpoint: Option<&Endpoint>, status: StatusCode) {
        let seconds = begun.at.elapsed().as_secs_f64();
        match endpoint.and_then(|endpoint| endpoint.usual(begun.method, status)) {
            Some((usual, path)) => usual
                .get_or_init(|| self.counters(begun.method, path, status))
                .count(seconds),
            None => {
                let path = endpoint.map_or(OTHER, |endpoint| &endpoint.path);
                self.counters(begun.method, path, status).count(seconds);
            }
        }
    }

    fn counters(&self, method: &'static str, path: &str, status: StatusCode) -> Answers {
        let kind = Kind {
            method,
            endpoint: path.to_owned(),
            code: status.as_u16(),
        };
        let outcome = Outcome {
            method,
            status_bucket: class(status),
        };
        Answers {
            requests: self.requests.get_or_create_owned(&kind),
            durations: self.durations.get_or_create_owned(&kind),
            statuses: self.statuses.get_or_create_owned(&outcome),
        }
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
