//! Connections to one server, kept while they are good for another request.
//!
//! A connection of HTTP/1.1 serves one request at a time: it is lent out with the answer and comes
//! back when the answer's body has been read to its end; the one that came back last goes out
//! first, so that few stay warm. Each thread keeps its own, where the task of the connection runs,
//! too: a request wakes nobody elsewhere. A connection of HTTP/2 is shared by all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::Either;
use http::header::{HOST, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::dial::{Dial, Stream};
use super::own;
use super::shared::Shared;
use super::{Failure, Http2, Own, Server, Transport};
use crate::body::{Body, Request, Response};
use crate::budget::{Allowance, Budget};
use crate::shard::{Apart, Each, Held};

/// Requests that may be repeated besides a fifth of all: as many at once as there are idle
/// connections by default, which a server may close together.
const ALLOWANCE: Allowance = Allowance {
    a_second: 10.0,
    most: 200.0,
};

/// Bytes of a connection of HTTP/1.1 that wait to be sent, and the most that an answer's head has.
const BUFFER: usize = 128 << 10;

/// A server and the connections to it.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    dial: Dial,
    server: Server,
    http2: Http2,
    keeping: Keeping,
    budget: Budget,
    idle: Each<Idle>,
    shared: Shared,
    /// The server is the gateway itself.
    is_own: AtomicBool,
}

/// What is kept.
#[derive(Debug, Clone, Copy)]
struct Keeping {
    /// Connections that wait, in all threads.
    most: usize,
    /// Zero: for ever.
    timeout: Duration,
}

/// The connections of a thread that wait for a request. They run in the runtime of that thread.
struct Idle {
    keeping: Keeping,
    own: Own,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// With the moment each came back, the oldest first.
    connections: Vec<(http1::SendRequest<Body>, Instant)>,
    /// Whether somebody closes those that nobody wants any more.
    is_watched: bool,
}

/// A connection that is lent to an answer.
pub(crate) struct Lent {
    sender: http1::SendRequest<Body>,
    idle: Held<Idle>,
}

/// A connection for one request, and whether it has served another before.
enum Way {
    Http1(http1::SendRequest<Body>, bool),
    Http2(http2::SendRequest<Body>, bool),
}

/// A failed attempt, with the request where none of it was written.
type Unsent = (Failure, Option<Box<Request>>);

impl Pool {
    pub(super) fn new(transport: &Transport, dial: Dial, server: Server) -> Self {
        let is_tls = matches!(&server, Server::Network(scheme, _) if *scheme == Scheme::HTTPS);
        Self(Arc::new(Inner {
            dial,
            http2: match (transport.http2, is_tls) {
                // Without a handshake there is nothing to negotiate in.
                (Http2::Negotiated, false) => Http2::Never,
                (http2, _) => http2,
            },
            server,
            keeping: Keeping {
                most: transport.max_idle_per_host,
                timeout: transport.idle_timeout,
            },
            budget: Budget::new(ALLOWANCE),
            idle: Each::default(),
            shared: Shared::new(transport),
            is_own: AtomicBool::new(false),
        }))
    }

    /// How many requests to the server may be sent again.
    pub(super) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// Sends a request, of whose target only path and query count. A request that met a connection
    /// which was closing before a byte of it was written goes over the next one.
    pub(super) fn send(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Failure>> + Send {
        let kept = match self.0.http2 {
            Http2::Never => self.0.idle().take(),
            Http2::Negotiated | Http2::Only => None,
        };
        // Boxed, as everything that few requests need: a future is as large as all it may ever
        // hold, and is moved as a whole.
        let first = match kept {
            Some(sender) => Either::Left(self.send_http1(request, sender, true)),
            None => Either::Right(Box::pin(self.over_another(request))),
        };
        async move {
            match first.await {
                Ok(response) => Ok(response),
                Err((failure, Some(unsent))) if failure.is_stale => {
                    Box::pin(self.send_at_last(*unsent)).await
                }
                Err((failure, _)) => Err(failure),
            }
        }
    }

    /// Sends a request over one connection after the other until it is written.
    async fn send_at_last(&self, mut request: Request) -> Result<Response, Failure> {
        loop {
            match self.over_another(request).await {
                Ok(response) => return Ok(response),
                Err((failure, Some(unsent))) if failure.is_stale => request = *unsent,
                Err((failure, _)) => return Err(failure),
            }
        }
    }

    async fn over_another(&self, request: Request) -> Result<Response, Unsent> {
        match self.0.http2 {
            Http2::Never => self.over_http1(request).await,
            Http2::Negotiated | Http2::Only => self.over_any(request).await,
        }
    }

    async fn over_http1(&self, request: Request) -> Result<Response, Unsent> {
        let (sender, is_used) = match self.0.idle().take() {
            Some(sender) => (sender, true),
            None => {
                let opened = async { self.0.begin_http1(self.0.dial(true).await?).await };
                (opened.await.map_err(|failure| (failure, None))?, false)
            }
        };
        self.send_http1(request, sender, is_used).await
    }

    async fn over_any(&self, request: Request) -> Result<Response, Unsent> {
        // Other protocols begin in HTTP/1.1 (RFC 9110 section 7.8).
        let switches = self.0.http2 == Http2::Negotiated && request.headers().contains_key(UPGRADE);
        let way = match switches {
            true => return self.over_http1(request).await,
            false => self.0.way().await.map_err(|failure| (failure, None))?,
        };
        match way {
            Way::Http1(sender, is_used) => self.send_http1(request, sender, is_used).await,
            Way::Http2(sender, is_used) => self.send_http2(request, sender, is_used).await,
        }
    }

    /// The request is on its way when this returns.
    fn send_http1(
        &self,
        mut request: Request,
        mut sender: http1::SendRequest<Body>,
        is_used: bool,
    ) -> impl Future<Output = Result<Response, Unsent>> + Send {
        let counted = self.0.count(&mut request);
        let sent = counted.map(|()| {
            aim_http1(&mut request);
            sender.try_send_request(request)
        });
        async move {
            let sent = sent.map_err(|failure| (failure, None))?;
            match sent.await {
                Ok(response) => Ok(self.lend(response, sender)),
                Err(error) => Err(unsent(error, is_used)),
            }
        }
    }

    async fn send_http2(
        &self,
        mut request: Request,
        mut sender: http2::SendRequest<Body>,
        is_used: bool,
    ) -> Result<Response, Unsent> {
        let counted = self.0.count(&mut request);
        counted.map_err(|failure| (failure, None))?;
        self.0.aim_http2(&mut request);
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
            idle: Arc::clone(self.0.idle()),
        };
        response.map(|body| Body::lent(body, lent))
    }
}

/// The target as HTTP/1 writes it; the host is a field.
fn aim_http1(request: &mut Request) {
    let target = request.uri();
    if target.authority().is_none() && target.path().starts_with('/') {
        return;
    }
    let authority = target.authority();
    let host = authority.and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    // After an attempt over HTTP/2 it is in the target.
    if let Some(host) = host.filter(|_| !request.headers().contains_key(HOST)) {
        request.headers_mut().insert(HOST, host);
    }
    *request.uri_mut() = Uri::from(path(request));
}

fn path(request: &Request) -> PathAndQuery {
    let path = request.uri().path_and_query().cloned();
    path.unwrap_or_else(|| PathAndQuery::from_static("/"))
}

fn unsent(mut error: TrySendError<Request>, is_used: bool) -> Unsent {
    let request = error.take_message().map(Box::new);
    let failure = Failure::of_connection(error.into_error(), is_used);
    (failure, request)
}

impl Inner {
    /// The target as HTTP/2 writes it: the host is a part of it (RFC 9113 section 8.3.1).
    fn aim_http2(&self, request: &mut Request) {
        let path = path(request);
        let host = request.headers_mut().remove(HOST);
        let host = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let host = host.or_else(|| request.uri().authority().cloned());
        let (scheme, own) = match &self.server {
            Server::Network(scheme, authority) => (scheme.clone(), authority.clone()),
            Server::Socket(_) => (Scheme::HTTP, Authority::from_static("localhost")),
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme);
        parts.authority = Some(host.unwrap_or(own));
        parts.path_and_query = Some(path);
        // All three parts are there, which is what a target needs.
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }

    /// The shared connection, one that waits, or a new one. Who comes while the first one is being
    /// made waits for it, unless the server is known to refuse HTTP/2.
    async fn way(&self) -> Result<Way, Failure> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if self.shared.is_refused() {
            return self.open().await;
        }
        let _making = self.shared.making.lock().await;
        match self.known() {
            Some(known) => Ok(known),
            None => self.open().await,
        }
    }

    fn known(&self) -> Option<Way> {
        let shared = self.shared.sender().map(|sender| Way::Http2(sender, true));
        shared.or_else(|| self.idle().take().map(|sender| Way::Http1(sender, true)))
    }

    async fn open(&self) -> Result<Way, Failure> {
        let stream = self.dial(false).await?;
        let is_http2 = self.http2 == Http2::Only || stream.chose_http2();
        self.shared.is_chosen(is_http2);
        Ok(match is_http2 {
            true => Way::Http2(self.shared.begin(stream).await?, false),
            false => Way::Http1(self.begin_http1(stream).await?, false),
        })
    }

    async fn begin_http1(&self, stream: Stream) -> Result<http1::SendRequest<Body>, Failure> {
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::of_connection(error, false))?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to a server ended");
            }
        });
        Ok(sender)
    }

    async fn dial(&self, only_http1: bool) -> Result<Stream, Failure> {
        let stream = self.dial.connect(&self.server, only_http1).await?;
        if self.dial.is_own(&stream) {
            self.is_own.store(true, Ordering::Relaxed);
        }
        Ok(stream)
    }

    /// Counts a request to ourselves.
    fn count(&self, request: &mut Request) -> Result<(), Failure> {
        match self.is_own.load(Ordering::Relaxed) {
            true => own::count(request),
            false => Ok(()),
        }
    }

    /// What waits in this thread.
    fn idle(&self) -> &Held<Idle> {
        self.idle.mine(|| Idle {
            keeping: self.keeping,
            own: self.dial.own().clone(),
            waiting: Mutex::default(),
        })
    }
}

impl Apart<Idle> {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that waits for a request, if one is good. One whose server has answered before
    /// the end of its request stays until that has been sent.
    fn take(&self) -> Option<http1::SendRequest<Body>> {
        let timeout = self.0.keeping.timeout;
        let mut waiting = self.waiting();
        for place in (0..waiting.connections.len()).rev() {
            let (sender, since) = &waiting.connections[place];
            let is_old = !timeout.is_zero() && since.elapsed() >= timeout;
            if is_old || sender.is_closed() {
                waiting.connections.remove(place);
            } else if sender.is_ready() {
                return Some(waiting.connections.remove(place).0);
            }
        }
        None
    }

    /// Closes what nobody wanted for too long; tells whether anything is left.
    fn prune(&self) -> bool {
        let mut waiting = self.waiting();
        let limit = self.0.keeping.timeout;
        waiting
            .connections
            .retain(|(sender, since)| since.elapsed() < limit && !sender.is_closed());
        waiting.is_watched = !waiting.connections.is_empty();
        waiting.is_watched
    }
}

impl Lent {
    /// The answer has been read to its end.
    pub(crate) fn give_back(self) {
        let Self { sender, idle } = self;
        let Keeping { most, timeout } = idle.0.keeping;
        // Each thread keeps its share, so that none must know what the others keep.
        let most = most.div_ceil(idle.0.own.threads());
        let mut waiting = idle.waiting();
        if sender.is_closed() || waiting.connections.len() >= most {
            return;
        }
        waiting.connections.push((sender, Instant::now()));
        if !waiting.is_watched && !timeout.is_zero() {
            waiting.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(&idle), timeout));
        }
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lent").field(&self.idle.0.keeping).finish()
    }
}

/// Closes connections that were idle for too long, until there are none.
async fn watch(idle: Weak<Apart<Idle>>, timeout: Duration) {
    loop {
        tokio::time::sleep(timeout).await;
        match idle.upgrade() {
            Some(idle) if idle.prune() => {}
            _ => return,
        }
    }
}
