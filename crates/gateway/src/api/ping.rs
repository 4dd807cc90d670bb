//! `ping@internal`: `/ping` as Traefik's, `/livez` and `/readyz` as Kubernetes' users expect them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::Readiness;
use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange};

/// Tells how the process is.
#[derive(Debug)]
pub(crate) struct PingEndpoint {
    pub(crate) readiness: Arc<Readiness>,
    /// The answer to `/ping` while the process ends.
    pub(crate) terminating: StatusCode,
}

impl PingEndpoint {
    fn reply(&self, request: &Request) -> Response {
        match request.uri().path() {
            "/livez" => plain(StatusCode::OK),
            "/readyz" => self.ready(),
            _ if self.readiness.is_draining() => plain(self.terminating),
            _ if self.readiness.is_waiting() => plain(StatusCode::NOT_FOUND),
            _ => plain(StatusCode::OK),
        }
    }

    fn ready(&self) -> Response {
        let reasons = self.readiness.reasons();
        if reasons.is_empty() {
            return plain(StatusCode::OK);
        }
        let body = json!({"status": "not ready", "reasons": reasons}).to_string();
        let mut response = Response::new(Body::from(Bytes::from(body)));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl Endpoint for PingEndpoint {
    fn answer<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let response = self.reply(&request);
        Box::pin(async move { Ok(response) })
    }
}

/// The status in words, as Traefik's `/ping` has it.
fn plain(status: StatusCode) -> Response {
    let text = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
