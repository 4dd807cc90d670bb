//! The one HTTP client: a pool of connections to whatever a URL names, by HTTP/1.1 or HTTP/2, with
//! its TLS and its limits. Knows no service and no token; refuses to follow redirects, to read
//! proxy settings and to add headers. `dial.rs` makes connections, `tls.rs` their TLS,
//! `failure.rs` says what went wrong.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, Method};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::body::{Body, BodyError, Request, Response};
use crate::supplies::Resolve;

mod dial;
mod failure;
mod tls;

use dial::Dial;
pub use failure::{Failure, FailureKind};
pub use tls::{ClientCertificate, Tls};

/// How upstreams are reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// TLS of `https` URLs.
    pub tls: Tls,
    /// Limit of making a connection, TLS not included; zero: none. Default 30 s.
    pub dial_timeout: Duration,
    /// Limit from the request to the head of the answer; zero: none. Default none.
    pub response_header_timeout: Duration,
    /// A pooled connection that was idle for so long is closed; zero: never. Default 90 s.
    pub idle_timeout: Duration,
    /// Idle connections kept per host. Default 200.
    pub max_idle_per_host: usize,
    /// Speak HTTP/2 from the first byte (`h2c`). Default false.
    pub http2_only: bool,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            tls: Tls::default(),
            dial_timeout: Duration::from_secs(30),
            response_header_timeout: Duration::ZERO,
            idle_timeout: Duration::from_secs(90),
            max_idle_per_host: 200,
            http2_only: false,
        }
    }
}

/// A pool of connections. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct Client {
    pool: legacy::Client<Dial, Body>,
    response_header_timeout: Duration,
}

impl Client {
    /// A client with an empty pool. The error is one sentence about the TLS material.
    pub fn new(transport: &Transport, resolve: Resolve) -> Result<Self, String> {
        let dial = Dial::new(transport, resolve)?;
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(
                (!transport.idle_timeout.is_zero()).then_some(transport.idle_timeout),
            )
            .pool_max_idle_per_host(transport.max_idle_per_host)
            .http2_only(transport.http2_only)
            .http1_title_case_headers(true)
            .set_host(false);
        Ok(Self {
            pool: builder.build(dial),
            response_header_timeout: transport.response_header_timeout,
        })
    }

    /// Sends a request with an absolute URI and its `Host` header as they are; the answer's body is
    /// streamed. A request without body whose method is idempotent is sent once more when it met
    /// a pooled connection that the server was closing (RFC 9110 section 9.2.2).
    pub async fn send(&self, request: Request) -> Result<Response, Failure> {
        let again = is_repeatable(&request).then(|| copy_of_head(&request));
        match self.attempt(request).await {
            Err((failure, true)) => match again {
                Some(request) => self.attempt(request).await.map_err(|(failure, _)| failure),
                None => Err(failure),
            },
            outcome => outcome.map_err(|(failure, _)| failure),
        }
    }

    /// Sends a request and collects the answer, of whose body at most `limit` bytes are read.
    pub async fn call(
        &self,
        request: http::Request<Bytes>,
        limit: usize,
    ) -> Result<http::Response<Bytes>, Failure> {
        let response = self.send(request.map(Body::from)).await?;
        let (head, body) = response.into_parts();
        match Limited::new(body, limit).collect().await {
            Ok(collected) => Ok(http::Response::from_parts(head, collected.to_bytes())),
            Err(error) => Err(Failure::of_body(error)),
        }
    }

    /// One attempt; `true` beside the failure when a pooled connection had gone stale.
    async fn attempt(&self, request: Request) -> Result<Response, (Failure, bool)> {
        let response = match within(self.response_header_timeout, self.pool.request(request)).await
        {
            Some(outcome) => outcome,
            None => return Err((Failure::new(FailureKind::HeaderTimeout), false)),
        };
        match response {
            Ok(response) => {
                if let Some(Used(used)) = response.extensions().get() {
                    used.store(true, Ordering::Relaxed);
                }
                Ok(response.map(Body::from))
            }
            Err(error) => {
                let failure = Failure::of_client(error);
                let stale = failure.kind == FailureKind::Broken && failure.on_used_connection;
                Err((failure, stale))
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Whether a connection has served a request before.
#[derive(Debug, Clone, Default)]
struct Used(Arc<AtomicBool>);

/// RFC 9110 section 9.2.2; a body may have been read already, so there must be none.
fn is_repeatable(request: &Request) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    idempotent && request.body().is_end_stream()
}

/// The request again, with an empty body. Extensions (an upgrade, a callback) belong to one sending.
fn copy_of_head(request: &Request) -> Request {
    let mut copy = http::Request::new(Body::empty());
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    *copy.version_mut() = request.version();
    *copy.extensions_mut() = Extensions::new();
    copy
}

/// The future's output, or `None` when the limit passes first. Zero: no limit.
async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match limit.is_zero() {
        true => Some(future.await),
        false => tokio::time::timeout(limit, future).await.ok(),
    }
}

/// An error that only says what it is.
fn said(text: impl Into<String>) -> BodyError {
    text.into().into()
}
