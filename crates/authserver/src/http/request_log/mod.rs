//! One line a request, with the fields of Hydra's. What a line may hold is in `redaction`.

use axum::{
    body::HttpBody as _,
    extract::Request,
    http::{Method, header},
    response::Response,
};
use tokio::time::Instant;

use self::redaction::Redaction;
use crate::{
    http::serve::Connected,
    ports::{PortOptions, RequestLog},
};

mod redaction;

/// What probes ask for.
const HEALTH: [&str; 4] = [
    "/health/alive",
    "/health/ready",
    "/admin/health/alive",
    "/admin/health/ready",
];

/// What a port logs.
#[derive(Debug)]
pub(super) struct Rules {
    silent_health: bool,
    redaction: Redaction,
}

/// What a line says of a request.
#[derive(Debug)]
struct Asked {
    remote: String,
    method: Method,
    path: String,
    query: Option<String>,
    scheme: &'static str,
    host: String,
    headers: String,
}

/// A request whose answer is not there yet.
#[derive(Debug)]
pub(super) struct Line {
    asked: Asked,
    started: Instant,
}

impl Rules {
    pub(super) fn new(port: &PortOptions, log: &RequestLog) -> Self {
        Self {
            silent_health: port.silent_health,
            redaction: Redaction::new(log),
        }
    }

    /// What is to be said of a request, when anything is.
    pub(super) fn begin(&self, request: &Request) -> Option<Line> {
        let path = request.uri().path();
        let is_health = HEALTH.contains(&path.strip_suffix('/').unwrap_or(path));
        let is_silent = is_health && self.silent_health;
        (!is_silent && tracing::enabled!(tracing::Level::INFO)).then(|| Line {
            asked: Asked::new(request, &self.redaction),
            started: Instant::now(),
        })
    }

    /// Says it, and what became of it.
    pub(super) fn end(&self, Line { asked, started }: Line, response: &Response) {
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let status = response.status();
        tracing::info!(
            http_request.remote = asked.remote,
            http_request.method = asked.method.as_str(),
            http_request.path = asked.path,
            http_request.query = asked.query,
            http_request.scheme = asked.scheme,
            http_request.host = asked.host,
            http_request.headers = asked.headers,
            http_response.status = status.as_u16(),
            http_response.text_status = status.canonical_reason(),
            http_response.size = response.body().size_hint().exact(),
            http_response.took = took,
            http_response.headers = self.redaction.headers(response.headers()),
            "completed handling request"
        );
    }
}

impl Asked {
    fn new(request: &Request, redaction: &Redaction) -> Self {
        let connected = request.extensions().get::<Connected>();
        let peer = connected.and_then(|connected| connected.peer);
        let (uri, headers) = (request.uri(), request.headers());
        let host = headers.get(header::HOST).map(|host| host.as_bytes());
        let authority = uri.authority().map(|authority| authority.as_str());
        Self {
            remote: peer.map(|peer| peer.to_string()).unwrap_or_default(),
            method: request.method().clone(),
            path: uri.path().to_owned(),
            query: uri.query().map(|query| redaction.query(query)),
            scheme: match connected {
                Some(Connected {
                    is_secure: true, ..
                }) => "https",
                _ => "http",
            },
            host: host.map_or_else(
                || authority.unwrap_or_default().to_owned(),
                |host| String::from_utf8_lossy(host).into_owned(),
            ),
            headers: redaction.headers(headers),
        }
    }
}
