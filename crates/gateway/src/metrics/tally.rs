//! One request, from its head to the last byte of its answer, on its way into the counts.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::kind::{self, Headers, Kind, Protocol};
use super::series::Outcome;
use super::{Metrics, Series};
use crate::body::Request;
use crate::middleware::Record;
use crate::tls::TlsSession;

/// What gRPC calls the outcome of a call that does not tell it.
const GRPC_UNKNOWN: u16 = 2;

/// What the requests of an entry point are counted in.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(super) metrics: Arc<Metrics>,
    pub(super) entry_point: Option<Arc<Series>>,
}

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct Tally {
    method: &'static str,
    protocol: Protocol,
    headers: Headers,
    grpc_status: Option<u16>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    /// What the requests of the router are counted in, where they are.
    pub(crate) router: Option<&'a Arc<Series>>,
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) session: Option<&'a TlsSession>,
    pub(crate) record: &'a Record,
}

impl Counts {
    /// Whether requests to the gateway itself count.
    pub(crate) fn adds_internals(&self) -> bool {
        self.metrics.adds_internals()
    }
}

impl Tally {
    /// Begins when a request was admitted.
    pub(crate) fn begin(counts: &Counts, request: &Request) -> Self {
        Self {
            method: kind::method(request.method()),
            protocol: Protocol::of(request.headers()),
            headers: labels(&counts.metrics, request.headers()),
            grpc_status: None,
        }
    }

    /// Notes what gRPC says of the outcome, in the head of the answer or in its trailers.
    pub(crate) fn told(&mut self, headers: &HeaderMap) {
        if self.protocol.is_grpc()
            && let Some(status) = headers.get("grpc-status")
        {
            let status = status.to_str().ok().and_then(|status| status.parse().ok());
            // The codes of gRPC are 0 to 16.
            self.grpc_status = status.filter(|status| *status <= 16);
        }
    }

    /// Counts the request, which is over.
    pub(crate) fn end(self, counts: &Counts, end: &End<'_>) {
        let kind = Kind {
            code: match self.protocol.is_grpc() {
                true => self.grpc_status.unwrap_or(GRPC_UNKNOWN),
                false => end.status,
            },
            method: self.method,
            protocol: self.protocol,
            headers: self.headers,
        };
        let outcome = Outcome {
            elapsed: end.elapsed,
            request_bytes: end.request_bytes,
            response_bytes: end.response_bytes,
            session: end.session,
        };
        let service = end.record.service.as_ref();
        let service = service.and_then(|service| service.0.series.as_ref());
        let all = [counts.entry_point.as_ref(), end.router, service];
        for series in all.into_iter().flatten() {
            series.count(&kind, outcome);
        }
        if end.record.retry_attempts > 0
            && let Some(service) = service
        {
            service.retried(end.record.retry_attempts);
        }
        if let Some(reason) = end.record.fault {
            counts.metrics.failed(reason);
        }
    }
}

/// The values of the headers that are labels.
fn labels(metrics: &Metrics, headers: &HeaderMap) -> Headers {
    let wanted = &metrics.options.header_labels;
    if wanted.is_empty() {
        return None;
    }
    let value = |name: &String| {
        let value = headers.get(name.as_str());
        let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
        value.unwrap_or_default().into_owned()
    };
    Some(wanted.values().map(value).collect())
}
