//! `api@internal`: the paths of Traefik's `/api`, and one of ours below `/api/carnet`. Reads only;
//! shows no secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use carnet_config::diagnostics::Object;
use carnet_config::install::{Api, EntryPoint};
use carnet_config::routing::Router;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::pages::{Query, item, page};
use super::runtime::{Objects, Own, Runtime, entry_point};
use super::tokens;
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::{Endpoint, Exchange};
use crate::snapshot::SnapshotHandle;
use crate::token_source::Providers;

/// What it tells of the process.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// When the process began to serve.
    pub(crate) started: SystemTime,
    /// Names of Traefik for the providers: `File`.
    pub(crate) providers: Vec<String>,
    pub(crate) has_metrics: bool,
    pub(crate) has_tracing: bool,
    pub(crate) has_access_log: bool,
}

/// Answers `/api`.
#[derive(Debug)]
pub(crate) struct ApiEndpoint {
    pub(crate) options: Api,
    pub(crate) about: About,
    pub(crate) entry_points: BTreeMap<String, EntryPoint>,
    /// The gateway's own routers.
    pub(crate) routers: BTreeMap<String, Object<Router>>,
    /// The names of its own services.
    pub(crate) services: Vec<String>,
    /// A snapshot leads here, so this must not keep it.
    pub(crate) snapshots: Weak<SnapshotHandle>,
    /// Who knows the tokens that are kept.
    pub(crate) tokens: Arc<Providers>,
}

/// What a path leads to.
enum Answer {
    Json(Value),
    /// With the number of the page after it.
    List(Vec<Value>, usize),
    Refused(StatusCode, String),
    /// Nobody knows the path.
    Unknown,
}

impl ApiEndpoint {
    fn reply(&self, request: &Request) -> Result<Response, Fault> {
        let base = self.options.base_path.trim_end_matches('/');
        let path = request.uri().path().strip_prefix(base).unwrap_or_default();
        let query = Query::of(request.uri().query().unwrap_or_default());
        let answer = self.answer_to(path, &query);
        if matches!(answer, Answer::Unknown) {
            return Err(Fault::new(Reason::NoRoute));
        }
        if *request.method() != Method::GET {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return Ok(response);
        }
        Ok(response(answer))
    }

    fn answer_to(&self, path: &str, query: &Query) -> Answer {
        let Some(path) = path.strip_prefix("/api/") else {
            return Answer::Unknown;
        };
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["version"] => Answer::Json(self.version()),
            ["overview"] => Answer::Json(self.overview()),
            ["rawdata"] => Answer::Json(self.raw_data()),
            ["carnet", "tokens"] => list(tokens::shown(&self.tokens.cached()), query),
            ["entrypoints"] => list(named(self.entry_points()), query),
            ["entrypoints", name] => one(self.entry_points(), "entry point", name),
            ["http", kind, ref name @ ..] => {
                let runtime = self.runtime();
                let (objects, noun) = match kind {
                    "routers" => (runtime.routers, "router"),
                    "services" => (runtime.services, "service"),
                    "middlewares" => (runtime.middlewares, "middleware"),
                    _ => return Answer::Unknown,
                };
                listed(objects, noun, name, query)
            }
            [
                "tcp",
                kind @ ("routers" | "services" | "middlewares"),
                ref name @ ..,
            ]
            | ["udp", kind @ ("routers" | "services"), ref name @ ..] => {
                listed(Objects::new(), kind.trim_end_matches('s'), name, query)
            }
            _ => Answer::Unknown,
        }
    }

    fn version(&self) -> Value {
        let started = jiff::Timestamp::try_from(self.about.started);
        json!({
            "Version": env!("CARGO_PKG_VERSION"),
            "Codename": "carnet",
            "startDate": started.unwrap_or_default().to_string(),
            "disableDashboardAd": true,
        })
    }

    fn overview(&self) -> Value {
        let runtime = self.runtime();
        let none = Objects::new();
        let word = |is_on: bool, word: &str| {
            if is_on {
                word.to_owned()
            } else {
                String::new()
            }
        };
        json!({
            "http": {
                "routers": counts(&runtime.routers),
                "services": counts(&runtime.services),
                "middlewares": counts(&runtime.middlewares),
            },
            "tcp": {"routers": counts(&none), "services": counts(&none), "middlewares": counts(&none)},
            "udp": {"routers": counts(&none), "services": counts(&none)},
            "features": {
                "tracing": word(self.about.has_tracing, "OTLP"),
                "metrics": word(self.about.has_metrics, "Prometheus"),
                "accessLog": self.about.has_access_log,
                "hub": false,
            },
            "providers": self.about.providers,
        })
    }

    fn raw_data(&self) -> Value {
        let runtime = self.runtime();
        json!({
            "routers": runtime.routers,
            "middlewares": runtime.middlewares,
            "services": runtime.services,
        })
    }

    fn entry_points(&self) -> Objects {
        let all = self.entry_points.iter();
        all.map(|(name, options)| (name.clone(), entry_point::shown(options)))
            .collect()
    }

    fn runtime(&self) -> Runtime {
        let snapshot = self.snapshots.upgrade().map(|handle| handle.load());
        let own = Own {
            routers: &self.routers,
            services: &self.services,
        };
        Runtime::of(&snapshot.unwrap_or_default(), &own)
    }
}

impl Endpoint for ApiEndpoint {
    fn answer<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move { self.reply(&request) })
    }
}

fn listed(objects: Objects, noun: &str, name: &[&str], query: &Query) -> Answer {
    match name {
        [] => list(named(objects), query),
        [name] => one(objects, noun, name),
        _ => Answer::Unknown,
    }
}

fn named(objects: Objects) -> Vec<Value> {
    let objects = objects.into_iter();
    objects.map(|(name, shown)| item(&name, shown)).collect()
}

fn list(items: Vec<Value>, query: &Query) -> Answer {
    match page(items, query) {
        Ok(page) => Answer::List(page.items, page.next),
        Err(reason) => Answer::Refused(StatusCode::BAD_REQUEST, reason),
    }
}

fn one(mut objects: Objects, noun: &str, name: &str) -> Answer {
    let name = percent_decode_str(name).decode_utf8_lossy();
    match objects.remove(&*name) {
        Some(shown) => Answer::Json(item(&name, shown)),
        None => Answer::Refused(StatusCode::NOT_FOUND, format!("{noun} not found: {name}")),
    }
}

/// How many there are, and of how many something is wrong.
fn counts(objects: &Objects) -> Value {
    let has = |status: &str| {
        let is_it = |shown: &&Map<String, Value>| shown.get("status") == Some(&json!(status));
        objects.values().filter(is_it).count()
    };
    json!({"total": objects.len(), "warnings": has("warning"), "errors": has("disabled")})
}

fn response(answer: Answer) -> Response {
    let (status, value, next) = match answer {
        Answer::Json(value) => (StatusCode::OK, value, None),
        Answer::List(items, next) => (StatusCode::OK, Value::Array(items), Some(next)),
        Answer::Refused(status, message) => (status, json!({ "message": message }), None),
        Answer::Unknown => (StatusCode::NOT_FOUND, Value::Null, None),
    };
    let mut response = Response::new(Body::from(Bytes::from(format!("{value}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(next) = next {
        headers.insert("x-next-page", HeaderValue::from(next));
    }
    let content = match status.is_success() {
        true => "application/json",
        // What Go's `http.Error` writes, whatever the body is.
        false => "text/plain; charset=utf-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    let no_sniff = HeaderValue::from_static("nosniff");
    headers.insert(X_CONTENT_TYPE_OPTIONS, no_sniff);
    response
}
