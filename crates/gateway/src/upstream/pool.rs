//! Connections to one server, kept while they are good for another request.
//!
//! A connection of HTTP/1.1 serves one request at a time: it is lent out with the answer and comes
//! back when the answer's body has been read to its end; the one that came back last goes out
//! first, so that few stay warm. A connection of HTTP/2 is shared by all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::dial::{Dial, Stream};
use super::{Failure, Transport};
use crate::body::{Body, Request, Response};

/// A server and the connections to it.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    dial: Dial,
    scheme: Scheme,
    authority: Authority,
    speaks_http2: bool,
    max_idle: usize,
    /// Zero: for ever.
    idle_timeout: Duration,
    idle: Mutex<Idle>,
    shared: tokio::sync::Mutex<Option<http2::SendRequest<Body>>>,
}

#[derive(Default)]
struct Idle {
    /// With the moment each came back, the oldest first.
    connections: Vec<(http1::SendRequest<Body>, Instant)>,
    /// Whether somebody closes those that nobody wants any more.
    is_watched: bool,
}

/// A connection that is lent to an answer.
pub(crate) struct Lent {
    sender: http1::SendRequest<Body>,
    pool: Arc<Inner>,
}

/// A failed attempt, with the request where none of it was written.
type Unsent = (Failure, Option<Request>);

impl Pool {
    pub(super) fn new(
        transport: &Transport,
        dial: Dial,
        scheme: Scheme,
        authority: Authority,
    ) -> Self {
        Self(Arc::new(Inner {
            dial,
            scheme,
            authority,
            speaks_http2: transport.http2_only,
            max_idle: transport.max_idle_per_host,
            idle_timeout: transport.idle_timeout,
            idle: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
        }))
    }

    /// Sends a request, of whose target only path and query count. A request that met a connection
    /// which was closing before a byte of it was written goes over the next one.
    pub(super) async fn send(&self, mut request: Request) -> Result<Response, Failure> {
        self.aim(&mut request);
        loop {
            let outcome = match self.0.speaks_http2 {
                true => Box::pin(self.over_http2(request)).await,
                false => self.over_http1(request).await,
            };
            match outcome {
                Ok(response) => return Ok(response),
                Err((failure, Some(unsent))) if failure.on_used_connection => request = unsent,
                Err((failure, _)) => return Err(failure),
            }
        }
    }

    /// The target as the protocol writes it: in HTTP/2 the host is a part of it (RFC 9113 section
    /// 8.3.1).
    fn aim(&self, request: &mut Request) {
        let path = request.uri().path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if !self.0.speaks_http2 {
            *request.uri_mut() = Uri::from(path);
            return;
        }
        let host = request.headers_mut().remove(HOST);
        let host = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.0.scheme.clone());
        parts.authority = Some(host.unwrap_or_else(|| self.0.authority.clone()));
        parts.path_and_query = Some(path);
        // All three parts are there, which is what a target needs.
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }

    async fn over_http1(&self, request: Request) -> Result<Response, Unsent> {
        let (mut sender, is_used) = match self.0.take() {
            Some(sender) => (sender, true),
            None => {
                // Boxed, as everything that few requests need: a future is as large as all it may
                // ever hold, and is moved as a whole.
                let opened = Box::pin(self.open_http1()).await;
                (opened.map_err(|failure| (failure, None))?, false)
            }
        };
        let sent = sender.try_send_request(request).await;
        sent.map(|response| self.lend(response, sender))
            .map_err(|error| unsent(error, is_used))
    }

    async fn over_http2(&self, request: Request) -> Result<Response, Unsent> {
        let shared = self.shared().await;
        let (mut sender, is_used) = shared.map_err(|failure| (failure, None))?;
        let sent = sender.try_send_request(request).await;
        sent.map(|response| response.map(Body::from))
            .map_err(|error| unsent(error, is_used))
    }

    fn lend(
        &self,
        response: http::Response<Incoming>,
        sender: http1::SendRequest<Body>,
    ) -> Response {
        // After a switch of protocols nobody speaks HTTP there any more.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return response.map(Body::from);
        }
        let lent = Lent {
            sender,
            pool: Arc::clone(&self.0),
        };
        response.map(|body| Body::lent(body, lent))
    }

    async fn open_http1(&self) -> Result<http1::SendRequest<Body>, Failure> {
        let stream = TokioIo::new(self.dial().await?);
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .handshake(stream)
            .await
            .map_err(|error| Failure::of_connection(error, false))?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to a server ended");
            }
        });
        Ok(sender)
    }

    /// The connection of HTTP/2, and whether others used it before. Who comes while it is being
    /// made waits for it.
    async fn shared(&self) -> Result<(http2::SendRequest<Body>, bool), Failure> {
        let mut shared = self.0.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((sender.clone(), true));
        }
        let stream = TokioIo::new(self.dial().await?);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .handshake(stream)
            .await
            .map_err(|error| Failure::of_connection(error, false))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to a server ended");
            }
        });
        *shared = Some(sender.clone());
        Ok((sender, false))
    }

    async fn dial(&self) -> Result<Stream, Failure> {
        let host = self.0.authority.host();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = self.0.scheme == Scheme::HTTPS;
        let own = if is_tls { 443 } else { 80 };
        let port = self.0.authority.port_u16().unwrap_or(own);
        self.0.dial.connect(is_tls, host, port).await
    }
}

fn unsent(mut error: TrySendError<Request>, is_used: bool) -> Unsent {
    let request = error.take_message();
    let failure = Failure::of_connection(error.into_error(), is_used);
    (failure, request)
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that waits for a request, if one is good. One whose server has answered before
    /// the end of its request stays until that has been sent.
    fn take(&self) -> Option<http1::SendRequest<Body>> {
        let mut idle = self.idle();
        for place in (0..idle.connections.len()).rev() {
            let (sender, since) = &idle.connections[place];
            let is_old = !self.idle_timeout.is_zero() && since.elapsed() >= self.idle_timeout;
            if is_old || sender.is_closed() {
                idle.connections.remove(place);
            } else if sender.is_ready() {
                return Some(idle.connections.remove(place).0);
            }
        }
        None
    }

    /// Closes what nobody wanted for too long; tells whether anything is left.
    fn prune(&self) -> bool {
        let mut idle = self.idle();
        let limit = self.idle_timeout;
        idle.connections
            .retain(|(sender, since)| since.elapsed() < limit && !sender.is_closed());
        idle.is_watched = !idle.connections.is_empty();
        idle.is_watched
    }
}

impl Lent {
    /// The answer has been read to its end.
    pub(crate) fn give_back(self) {
        let Self { sender, pool } = self;
        let mut idle = pool.idle();
        if sender.is_closed() || idle.connections.len() >= pool.max_idle {
            return;
        }
        idle.connections.push((sender, Instant::now()));
        if !idle.is_watched && !pool.idle_timeout.is_zero() {
            idle.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(&pool), pool.idle_timeout));
        }
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lent").field(&self.pool.authority).finish()
    }
}

/// Closes connections that were idle for too long, until there are none.
async fn watch(pool: Weak<Inner>, timeout: Duration) {
    loop {
        tokio::time::sleep(timeout).await;
        match pool.upgrade() {
            Some(pool) if pool.prune() => {}
            _ => return,
        }
    }
}
