//! The one HTTP client: a pool of connections to whatever a URL names, by HTTP/1.1 or HTTP/2, with
//! its TLS and its limits. Knows no service and no token; refuses to follow redirects, to read
//! proxy settings and to add headers. `own.rs` knows ourselves, `pool.rs` keeps connections
//! (`shared.rs` that of HTTP/2), `http1/` speaks over them, `dial.rs` makes them, `tls.rs`,
//! `verifier.rs` and `identities.rs` their TLS, `failure.rs` says what went wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use http::uri::{Authority, Scheme};
use http::{Extensions, Method};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};

use crate::body::{Body, BodyError, Request, Response};
use crate::supplies::Resolve;

mod dial;
mod failure;
mod http1;
mod identities;
mod own;
mod pool;
mod shared;
mod tls;
mod verifier;

use dial::Dial;
pub use failure::{Failure, FailureKind};
#[cfg(any(fuzzing, test))]
pub(crate) use http1::hostile;
pub(crate) use http1::{Informed, Reading, Tunnel};
pub(crate) use own::{Hops, Own};
use pool::{Attempt, Pool, Unsent};
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
    /// When HTTP/2 is spoken. Default never.
    pub http2: Http2,
    /// A connection of HTTP/2 over which nothing came for so long is asked whether it is alive;
    /// zero: never. Default zero.
    pub read_idle_timeout: Duration,
    /// It is closed when it does not answer in this time. Default 15 s.
    pub ping_timeout: Duration,
}

/// When a client speaks HTTP/2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Http2 {
    /// Never.
    #[default]
    Never,
    /// Where a server chooses it in the TLS handshake. Requests for another protocol (WebSockets)
    /// go over HTTP/1.1 all the same.
    Negotiated,
    /// From the first byte (`h2c`).
    Only,
}

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Server {
    /// `http` or `https`, host and port.
    Network(Scheme, Authority),
    /// The path of a Unix socket.
    Socket(PathBuf),
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            tls: Tls::default(),
            dial_timeout: Duration::from_secs(30),
            response_header_timeout: Duration::ZERO,
            idle_timeout: Duration::from_secs(90),
            max_idle_per_host: 200,
            http2: Http2::Never,
            read_idle_timeout: Duration::ZERO,
            ping_timeout: Duration::from_secs(15),
        }
    }
}

/// Connections to whatever URLs name. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    dial: Dial,
    pools: Mutex<BTreeMap<String, Pool>>,
}

/// One server as a client reaches it. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Destination {
    pool: Pool,
    response_header_timeout: Duration,
}

impl Client {
    /// A client without connections. The error is one sentence about the TLS material.
    pub fn new(transport: &Transport, resolve: Resolve) -> Result<Self, String> {
        Self::aware(transport, resolve, Own::default())
    }

    /// The same, which knows where the gateway itself listens.
    pub(crate) fn aware(transport: &Transport, resolve: Resolve, own: Own) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            transport: transport.clone(),
            dial: Dial::new(transport, resolve, own)?,
            pools: Mutex::default(),
        })))
    }

    /// Whether both share their connections.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The server at an address; whoever names the same one shares its connections.
    pub fn destination(&self, scheme: &Scheme, authority: &Authority) -> Destination {
        self.server(Server::Network(scheme.clone(), authority.clone()))
    }

    /// The server at a Unix socket, which speaks HTTP/1.1.
    pub fn socket(&self, path: &Path) -> Destination {
        self.server(Server::Socket(path.to_owned()))
    }

    fn server(&self, server: Server) -> Destination {
        let Inner {
            transport,
            dial,
            pools,
        } = &*self.0;
        let mut pools = pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = pools.entry(server.to_string());
        let pool = pool.or_insert_with(|| Pool::new(transport, dial.clone(), server));
        Destination {
            pool: pool.clone(),
            response_header_timeout: transport.response_header_timeout,
        }
    }

    /// Sends a request to the server that its absolute URI names, as [`Destination::send`].
    pub async fn send(&self, request: Request) -> Result<Response, Failure> {
        let (scheme, authority) = match (request.uri().scheme(), request.uri().authority()) {
            (Some(scheme), Some(authority)) => (scheme, authority),
            _ => return Err(Failure::new(FailureKind::Name).because(said("the URL has no host"))),
        };
        self.destination(scheme, authority).send(request).await
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
}

impl Destination {
    /// Sends a request with its `Host` header as it is; of its target only path and query count.
    /// The answer's body is streamed. A request of which nothing was written goes over the next
    /// connection, whatever it is. One without body whose method is idempotent is sent again when
    /// it met a kept connection that the server was closing (RFC 9110 section 9.2.2), as long as
    /// the server's budget of retries lasts. All others are sent once.
    ///
    /// The request is on its way when this returns; what is given back waits for the answer. So it
    /// holds no request, and is small.
    pub fn send(&self, request: Request) -> impl Future<Output = Result<Response, Failure>> + Send {
        self.pool.budget().sent();
        let first = self.in_time(self.pool.send(request));
        async move {
            match first.await {
                Ok(response) => Ok(response),
                Err((failure, Some(unsent))) if is_worth_another(&failure) => {
                    Box::pin(self.send_again(failure, unsent)).await
                }
                Err((failure, _)) => Err(failure),
            }
        }
    }

    /// Sends a request again while it meets connections that are closing. Each of them is one less.
    async fn send_again(
        &self,
        mut failure: Failure,
        mut unsent: Unsent,
    ) -> Result<Response, Failure> {
        let may = |unsent: &Unsent| {
            unsent.is_untouched() || unsent.is_repeatable() && self.pool.budget().take()
        };
        while is_worth_another(&failure) && may(&unsent) {
            match self.in_time(self.pool.send_again(unsent)).await {
                Ok(response) => return Ok(response),
                Err((next, Some(again))) => (failure, unsent) = (next, again),
                Err((next, None)) => return Err(next),
            }
        }
        Err(failure)
    }

    /// An attempt that takes no longer than the limit.
    fn in_time<'a>(
        &self,
        sending: impl Future<Output = Attempt> + Send + 'a,
    ) -> impl Future<Output = Attempt> + Send + 'a {
        let limit = self.response_header_timeout;
        if limit.is_zero() {
            return Either::Left(sending);
        }
        Either::Right(Box::pin(async move {
            within(limit, sending)
                .await
                .unwrap_or_else(|| Err((Failure::new(FailureKind::HeaderTimeout), None)))
        }))
    }
}

/// Whether the request met a connection that was closing.
fn is_worth_another(failure: &Failure) -> bool {
    failure.kind == FailureKind::Broken && failure.is_stale
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(scheme, authority) => write!(f, "{scheme}://{authority}"),
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// RFC 9110 section 9.2.2; a body may have been read already, so there must be none.
pub(crate) fn is_repeatable(request: &Request) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    idempotent && request.body().is_end_stream()
}

/// The request again, with an empty body. Extensions (an upgrade, a callback) belong to one sending.
pub(crate) fn copy_of_head(request: &Request) -> Request {
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
