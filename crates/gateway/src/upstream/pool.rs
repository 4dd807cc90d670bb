//! Connections to one server, kept while they are good for another request.
//!
//! A connection of HTTP/1.1 serves one request at a time: it is lent out with the answer and comes
//! back when the answer's body has been read to its end; the one that came back last goes out
//! first, so that few stay warm. Each thread keeps its own: a request wakes nobody elsewhere. A
//! connection of HTTP/2 is shared by all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, ready};
use http::Uri;
use http::header::{HOST, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use hyper::client::conn::http2;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::dial::{Dial, Stream};
use super::http1::{self, Connection, Outgoing, Waiting};
use super::own;
use super::shared::Shared;
use super::{Failure, Http2, Own, Server, Transport, copy_of_head, is_repeatable};
use crate::body::{Body, Request, Response};
use crate::budget::{Allowance, Budget};
use crate::shard::{Apart, Each, Held};

/// Requests that may be repeated besides a fifth of all: as many at once as there are idle
/// connections by default, which a server may close together.
const ALLOWANCE: Allowance = Allowance {
    a_second: 10.0,
    most: 200.0,
};

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

/// The connections of a thread that wait for a request.
pub(super) struct Idle {
    keeping: Keeping,
    own: Own,
    waiting: Mutex<Shelf>,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
}

#[derive(Default)]
struct Shelf {
    /// With the moment each came back, the oldest first.
    connections: Vec<(Box<Connection>, Instant)>,
    /// Whether somebody closes those that nobody wants any more, or whose server has closed.
    is_watched: bool,
}

/// Rung by a connection that is not silent any more while it waits.
#[derive(Debug, Default)]
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// A connection for one request.
enum Way {
    Http1(Box<Connection>),
    /// And whether it has served another before.
    Http2(http2::SendRequest<Body>, bool),
}

/// A request that got no answer.
pub(super) enum Unsent {
    Http1(Box<Outgoing>),
    Http2 {
        request: Box<Request>,
        is_untouched: bool,
    },
}

/// A failed attempt, with the request where it could be sent again.
pub(super) type Attempt = Result<Response, (Failure, Option<Unsent>)>;

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

    /// Sends a request, of whose target only path and query count.
    pub(super) fn send(&self, request: Request) -> impl Future<Output = Attempt> + Send {
        let kept = match self.0.http2 {
            Http2::Never => self.0.idle().take(),
            Http2::Negotiated | Http2::Only => None,
        };
        // Boxed, as everything that few requests need: a future is as large as all it may ever
        // hold, and is moved as a whole.
        match kept {
            Some(connection) => Either::Left(self.send_http1(request, connection)),
            None => Either::Right(Box::pin(self.over_another(request))),
        }
    }

    /// Sends a request that got no answer over another connection.
    pub(super) async fn send_again(&self, unsent: Unsent) -> Attempt {
        match unsent {
            Unsent::Http1(outgoing) => {
                let connection = self.0.connection().await;
                let connection = connection.map_err(|failure| (failure, None))?;
                self.answered(connection.send_again(*outgoing)).await
            }
            Unsent::Http2 { request, .. } => self.over_another(*request).await,
        }
    }

    async fn over_another(&self, request: Request) -> Attempt {
        // Other protocols begin in HTTP/1.1 (RFC 9110 section 7.8).
        let is_http1 = match self.0.http2 {
            Http2::Never => true,
            Http2::Negotiated => request.headers().contains_key(UPGRADE),
            Http2::Only => false,
        };
        let way = match is_http1 {
            true => self.0.connection().await.map(Way::Http1),
            false => self.0.way().await,
        };
        match way.map_err(|failure| (failure, None))? {
            Way::Http1(connection) => self.send_http1(request, connection).await,
            Way::Http2(sender, is_used) => self.send_http2(request, sender, is_used).await,
        }
    }

    /// The request is text when this returns.
    fn send_http1(
        &self,
        mut request: Request,
        connection: Box<Connection>,
    ) -> impl Future<Output = Attempt> + Send {
        match self.0.count(&mut request) {
            Ok(()) => Either::Left(self.answered(connection.send(request))),
            Err(failure) => Either::Right(Box::pin(ready(Err((failure, None))))),
        }
    }

    fn answered(&self, sent: Waiting) -> impl Future<Output = Attempt> + Send {
        sent.map(|outcome| match outcome {
            Ok((response, connection)) => Ok(http1::answer(response, connection, self.0.idle())),
            Err((failure, outgoing)) => Err((failure, Some(Unsent::Http1(outgoing)))),
        })
    }

    async fn send_http2(
        &self,
        mut request: Request,
        mut sender: http2::SendRequest<Body>,
        is_used: bool,
    ) -> Attempt {
        let counted = self.0.count(&mut request);
        counted.map_err(|failure| (failure, None))?;
        self.0.aim_http2(&mut request);
        let again = is_repeatable(&request).then(|| Box::new(copy_of_head(&request)));
        let mut error = match sender.try_send_request(request).await {
            Ok(response) => return Ok(response.map(Body::from)),
            Err(error) => error,
        };
        let untouched = error.take_message().map(Box::new);
        let is_untouched = untouched.is_some();
        let unsent = untouched.or(again).map(|request| Unsent::Http2 {
            request,
            is_untouched,
        });
        Err((Failure::of_connection(error.into_error(), is_used), unsent))
    }
}

impl Unsent {
    /// Whether nothing of it was written.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Self::Http1(outgoing) => outgoing.is_untouched(),
            Self::Http2 { is_untouched, .. } => *is_untouched,
        }
    }

    /// Whether it may be sent again although it was written.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Http1(outgoing) => outgoing.is_repeatable(),
            Self::Http2 { .. } => true,
        }
    }
}

fn path(request: &Request) -> PathAndQuery {
    let path = request.uri().path_and_query().cloned();
    path.unwrap_or_else(|| PathAndQuery::from_static("/"))
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
        shared.or_else(|| self.idle().take().map(Way::Http1))
    }

    async fn open(&self) -> Result<Way, Failure> {
        let stream = self.dial(false).await?;
        let is_http2 = self.http2 == Http2::Only || stream.chose_http2();
        self.shared.is_chosen(is_http2);
        Ok(match is_http2 {
            true => Way::Http2(self.shared.begin(stream).await?, false),
            false => Way::Http1(Box::new(Connection::new(stream))),
        })
    }

    /// A connection of HTTP/1.1: one that waits, or a new one.
    async fn connection(&self) -> Result<Box<Connection>, Failure> {
        match self.idle().take() {
            Some(connection) => Ok(connection),
            None => Ok(Box::new(Connection::new(self.dial(true).await?))),
        }
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
        self.idle.mine(|| {
            let bell = Arc::new(Bell::default());
            Idle {
                keeping: self.keeping,
                own: self.dial.own().clone(),
                waiting: Mutex::default(),
                waker: Waker::from(Arc::clone(&bell)),
                bell,
            }
        })
    }
}

impl Apart<Idle> {
    fn waiting(&self) -> MutexGuard<'_, Shelf> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    fn is_quiet(&self, connection: &mut Connection) -> bool {
        connection.is_quiet(&mut Context::from_waker(&self.0.waker))
    }

    /// A connection that waits for a request, if one is good.
    fn take(&self) -> Option<Box<Connection>> {
        let timeout = self.0.keeping.timeout;
        let mut waiting = self.waiting();
        while let Some((mut connection, since)) = waiting.connections.pop() {
            let is_old = !timeout.is_zero() && since.elapsed() >= timeout;
            if !is_old && connection.is_still_quiet() {
                return Some(connection);
            }
        }
        None
    }

    /// Closes what nobody wanted for too long, and what its server has closed; tells whether
    /// anything is left.
    fn prune(&self) -> bool {
        let mut waiting = self.waiting();
        let limit = self.0.keeping.timeout;
        waiting.connections.retain_mut(|(connection, since)| {
            (limit.is_zero() || since.elapsed() < limit) && self.is_quiet(connection)
        });
        waiting.is_watched = !waiting.connections.is_empty();
        waiting.is_watched
    }

    /// Keeps a connection whose answer has been read to its end.
    pub(super) fn give_back(self: Arc<Self>, mut connection: Box<Connection>) {
        // Each thread keeps its share, so that none must know what the others keep.
        let most = self.0.keeping.most.div_ceil(self.0.own.threads());
        let mut waiting = self.waiting();
        if waiting.connections.len() >= most || !self.is_quiet(&mut connection) {
            return;
        }
        waiting.connections.push((connection, Instant::now()));
        if !waiting.is_watched {
            waiting.is_watched = true;
            let bell = Arc::clone(&self.0.bell);
            tokio::spawn(watch(Arc::downgrade(&self), bell, self.0.keeping.timeout));
        }
    }
}

/// Closes connections that were idle for too long or whose server has closed, until there are none.
async fn watch(idle: Weak<Apart<Idle>>, bell: Arc<Bell>, limit: Duration) {
    loop {
        match limit.is_zero() {
            true => bell.0.notified().await,
            false => drop(timeout(limit, bell.0.notified()).await),
        }
        match idle.upgrade() {
            Some(idle) if idle.prune() => {}
            _ => return,
        }
    }
}
