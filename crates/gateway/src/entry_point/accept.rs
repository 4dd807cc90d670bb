//! Takes connections, speaks HTTP/1.1 and HTTP/2 (with prior knowledge) over them, and lets go of
//! them in good order when the process ends.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::net::{self, IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use carnet_config::install::EntryPoint;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::header::UPGRADE;
use hyper::body::Incoming;
use hyper::server::conn as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::handshake::{self, Stream};
use super::line::{Answer, Door, House, Visitor};
use super::proxy_protocol;
use super::traffic::Traffic;
use super::wire::{Limits, Wire};
use crate::access_log::Watchers;
use crate::middleware::Connection;
use crate::seldom::Seldom;
use crate::service::Tunnels;
use crate::tls::TlsSession;

/// The parser's own least buffer.
const LEAST_BUFFER: usize = 8 << 10;
/// Without descriptors or memory, the listener waits for some to be given back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How much longer a connection without a request stays open: one may be on its way, and would be
/// lost.
const LINGER: Duration = Duration::from_secs(1);

/// What bytes come and go over.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for S {}

/// How a connection ended.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// A connection, as its requests need it. They share it with each other, and with nobody else.
struct Visit {
    door: Arc<Door>,
    visitor: Visitor,
    traffic: Arc<Traffic>,
    tunnels: Arc<Tunnels>,
    ending: Ending,
}

impl Visit {
    /// Answers a request.
    fn answer(
        self: &Arc<Self>,
        mut request: http::Request<Incoming>,
    ) -> impl Future<Output = Result<http::Response<Answer>, Infallible>> + use<> {
        let in_flight = self.traffic.begin();
        if request.headers().contains_key(UPGRADE) {
            request.extensions_mut().insert(Arc::clone(&self.tunnels));
        }
        // Before there is a future: what waits holds no request, and is small.
        let entered = self.door.enter(request, &self.visitor, in_flight);
        let visit = Arc::clone(self);
        async move { Ok(visit.door.answer(entered).await) }
    }
}

/// When no more connections are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leave {
    /// The process ends: after the time in which others learn of it.
    pub(crate) shutdown: CancellationToken,
    /// Another process takes the connections of the same socket: at once.
    pub(crate) handed_over: CancellationToken,
}

impl Leave {
    async fn after(&self, announcement: Duration) {
        let shutdown = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(announcement).await;
        };
        tokio::select! {
            () = shutdown => {}
            () = self.handed_over.cancelled() => {}
        }
    }
}

/// How connections end.
#[derive(Debug, Clone, Default)]
struct Ending {
    tasks: TaskTracker,
    /// Connections that can be told so take no further request.
    last: CancellationToken,
    /// Connections without a request are closed.
    idle: CancellationToken,
    /// Everything stops.
    cut: CancellationToken,
}

impl Ending {
    /// Lets the connections end, and cuts what has not after the grace.
    async fn drain(&self, name: &str, grace: Duration) {
        let linger = LINGER.min(grace);
        self.last.cancel();
        self.tasks.close();
        if timeout(linger, self.tasks.wait()).await.is_ok() {
            return;
        }
        self.idle.cancel();
        if timeout(grace - linger, self.tasks.wait()).await.is_err() {
            tracing::warn!(entry_point = name, "requests cut after the grace timeout");
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

/// Where connections come from and go to.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    /// The runtimes that serve them, one a thread; none: the one that takes them. The first takes
    /// them, too.
    threads: Vec<Handle>,
}

impl Listener {
    /// A listener of a non-blocking socket.
    pub(crate) fn new(socket: net::TcpListener, threads: &[Handle]) -> io::Result<Self> {
        let _here = threads.first().map(Handle::enter);
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            threads: threads.to_vec(),
        })
    }

    fn thread(&self) -> Handle {
        let first = self.threads.first().cloned();
        first.unwrap_or_else(Handle::current)
    }
}

/// Serves an entry point until it is to be left, then drains it.
pub(crate) async fn serve(
    name: &str,
    options: &EntryPoint,
    listener: Listener,
    house: Arc<House>,
    leave: Leave,
) {
    let metrics = house.metrics.as_ref();
    let watchers = Watchers {
        log: house.access_log.clone(),
        counts: metrics.map(|metrics| metrics.counts(name)),
    };
    let door = Arc::new(Door {
        trouble: Seldom::default(),
        name: Arc::from(name),
        options: options.clone(),
        watchers,
        house,
        is_left: AtomicBool::new(false),
    });
    let lifecycle = &options.transport;
    let ending = Ending::default();
    let thread = listener.thread();
    let accepting = thread.spawn(accept(listener, Arc::clone(&door), ending.clone()));
    let accepting = AbortOnDropHandle::new(accepting);
    leave.after(lifecycle.request_accept_grace_timeout).await;
    accepting.abort();
    // The socket is closed then.
    let _ = accepting.await;
    door.is_left.store(true, Ordering::Relaxed);
    ending.drain(name, lifecycle.grace_timeout).await;
}

/// Takes connections and hands them to the threads by turns. One takes for all: were each to take
/// for itself, the one that wakes first would have most of them.
async fn accept(listener: Listener, door: Arc<Door>, ending: Ending) {
    let mut turns = listener.threads.iter().enumerate().cycle();
    loop {
        match listener.socket.accept().await {
            Ok((socket, peer)) => {
                let (peer, door, ending) = (canonical(peer), Arc::clone(&door), ending.clone());
                let tasks = ending.tasks.clone();
                match turns.next() {
                    None | Some((0, _)) => tasks.spawn(connection(socket, peer, door, ending)),
                    Some((_, thread)) => tasks.spawn_on(moved(socket, peer, door, ending), thread),
                };
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                door.trouble.tell(|untold| {
                    let entry_point = &*door.name;
                    tracing::warn!(entry_point, %error, untold, "connections cannot be accepted");
                });
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the client was gone before it was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// An IPv4 peer at an IPv6 socket is an IPv4 peer to every rule and range.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::to_canonical(&peer.ip()), peer.port())
}

/// A connection that goes to another thread than the one that took it.
fn moved(
    socket: TcpStream,
    peer: SocketAddr,
    door: Arc<Door>,
    ending: Ending,
) -> impl Future<Output = ()> + Send {
    let socket = socket.into_std();
    async move {
        match socket.and_then(TcpStream::from_std) {
            Ok(socket) => connection(socket, peer, door, ending).await,
            Err(error) => tracing::debug!(%peer, %error, "no connection"),
        }
    }
}

async fn connection(socket: TcpStream, peer: SocketAddr, door: Arc<Door>, ending: Ending) {
    let metrics = door.house.metrics.clone();
    let _open = metrics.map(|metrics| metrics.opened(&door.name));
    let _ = socket.set_nodelay(true);
    let begin = async {
        let client = proxy_protocol::client(&socket, peer, &door.options).await?;
        io::Result::Ok((canonical(client), handshake::begin(socket, &door).await?))
    };
    let begun = tokio::select! {
        begun = begin => begun,
        () = ending.idle.cancelled() => return,
    };
    match begun {
        Ok((client, Stream::Plain(socket))) => speak(socket, (client, None), door, ending).await,
        Ok((client, Stream::Tls(stream, session))) => {
            speak(stream, (client, Some(session)), door, ending).await;
        }
        Err(error) => {
            tracing::debug!(entry_point = &*door.name, %peer, %error, "no connection");
        }
    }
}

/// Speaks HTTP over a connection until it ends. Between requests that are far apart it rests: all
/// that is left of it is the socket and its clock.
async fn speak<S: Socket>(
    stream: S,
    (peer, tls): (SocketAddr, Option<Arc<TlsSession>>),
    door: Arc<Door>,
    ending: Ending,
) {
    let chose_http2 = tls.as_ref().is_some_and(|session| session.chose_http2());
    let options = &door.options.transport;
    let traffic = Arc::new(Traffic::new(options));
    let limits = Limits {
        head: door.options.max_header_bytes,
        read: options.read_timeout,
        write: options.write_timeout,
        idle: options.idle_timeout,
    };
    let mut wire = Wire::new(stream, Arc::clone(&traffic), limits, &door.house.room);
    let visit = Visit {
        visitor: door.visitor(Connection::new(Arc::clone(&door.name), peer, tls)),
        tunnels: Arc::new(Tunnels {
            tasks: ending.tasks.clone(),
            last: ending.last.clone(),
            cut: ending.cut.clone(),
            is_raw: Arc::clone(&traffic.is_raw),
        }),
        traffic,
        door,
        ending,
    };
    let visit = Arc::new(visit);
    let outcome = loop {
        let first = tokio::select! {
            first = poll_fn(|cx| wire.poll_first(cx)) => first,
            () = visit.ending.idle.cancelled() => Ok(false),
        };
        match first {
            Ok(true) if visit.traffic.is_http2() => break Box::pin(http2(wire, &visit)).await,
            // It was agreed to speak HTTP/2, and this is none (RFC 9113 section 3.4).
            Ok(true) if chose_http2 => break close(wire, &visit.ending).await,
            Ok(true) => match Box::pin(http1(wire, &visit)).await {
                Ok(Some(rested)) => wire = rested,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            },
            Ok(false) => break close(wire, &visit.ending).await,
            Err(error) => break Err(error.into()),
        }
    };
    if let Err(error) = outcome {
        let entry_point = &*visit.door.name;
        tracing::debug!(entry_point, %peer, error, "connection ended");
    }
}

/// Says good-bye, as far as the client listens.
async fn close<S: Socket>(mut wire: Wire<S>, ending: &Ending) -> Outcome {
    tokio::select! {
        closed = wire.shutdown() => Ok(closed?),
        () = ending.cut.cancelled() => Ok(()),
    }
}

/// Speaks HTTP/1.1 until the connection ends, or until it may rest.
async fn http1<S: Socket>(
    wire: Wire<S>,
    visit: &Arc<Visit>,
) -> Result<Option<Wire<S>>, hyper::Error> {
    visit.traffic.rests(false);
    let service = service_fn(|request| visit.answer(request));
    let mut builder = server::http1::Builder::new();
    builder
        .title_case_headers(true)
        .max_buf_size(visit.door.options.max_header_bytes.max(LEAST_BUFFER))
        // The wire has its own clock, which knows more.
        .header_read_timeout(None);
    let served = builder.serve_connection(TokioIo::new(wire), service);
    let mut served = served.with_upgrades();
    // A set of one: it is asked only when it has something to say, not whenever bytes come.
    let mut no_more = FuturesUnordered::from_iter([visit.ending.idle.cancelled()]);
    let outcome = tokio::select! {
        biased;
        outcome = until(&mut served, || visit.traffic.takes_rest()) => outcome,
        _ = no_more.next() => {
            Pin::new(&mut served).graceful_shutdown();
            tokio::select! {
                outcome = &mut served => outcome.map(|()| false),
                () = visit.ending.cut.cancelled() => return Ok(None),
            }
        }
    };
    let Some(parts) = served.into_parts() else {
        return outcome.map(|_| None);
    };
    let mut wire = parts.io.into_inner();
    if let Ok(true) = outcome {
        wire.take_back(&parts.read_buf);
        return Ok(Some(wire));
    }
    // Whoever took too long, or has gone, waits for no answer.
    if outcome
        .as_ref()
        .map_or_else(hyper::Error::is_parse, |_| true)
    {
        tokio::select! {
            () = wire.linger() => {}
            () = visit.ending.idle.cancelled() => {}
        }
    }
    outcome.map(|_| None)
}

/// Runs a connection until it ends, or until it is to pause, which is asked each time that it has
/// nothing more to do: whether it is to pause.
async fn until<C>(served: &mut C, pauses: impl Fn() -> bool) -> hyper::Result<bool>
where
    C: Future<Output = hyper::Result<()>> + Unpin,
{
    poll_fn(|cx| match Pin::new(&mut *served).poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.map(|()| false)),
        Poll::Pending if pauses() => Poll::Ready(Ok(true)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Speaks HTTP/2 until the connection ends. It can be told that no more requests are wanted without
/// losing one (RFC 9113 section 6.8).
async fn http2<S: Socket>(wire: Wire<S>, visit: &Arc<Visit>) -> Outcome {
    let shared = Arc::clone(visit);
    let service = service_fn(move |request| shared.answer(request));
    let options = &visit.door.options;
    let mut builder = server::http2::Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(options.max_concurrent_streams)
        .header_table_size(options.max_decoder_header_table_size)
        .max_header_list_size(u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX))
        .timer(TokioTimer::new());
    let mut served = pin!(builder.serve_connection(TokioIo::new(wire), service));
    let no_more = async {
        tokio::select! {
            () = visit.ending.last.cancelled() => {}
            () = visit.traffic.is_over() => {}
        }
    };
    let mut no_more = FuturesUnordered::from_iter([no_more]);
    tokio::select! {
        outcome = served.as_mut() => return Ok(outcome?),
        _ = no_more.next() => served.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        outcome = served.as_mut() => Ok(outcome?),
        () = visit.ending.cut.cancelled() => Ok(()),
    }
}
