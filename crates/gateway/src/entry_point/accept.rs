//! Takes connections, speaks HTTP/1.1 and HTTP/2 (with prior knowledge) over them, and lets go of
//! them in good order when the process ends.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use carnet_config::install::EntryPoint;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::header::UPGRADE;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handshake::{self, Stream};
use super::line::{Door, House};
use super::proxy_protocol;
use super::traffic::Traffic;
use super::wire::{Limits, Wire};
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

/// Serves an entry point until it is to be left, then drains it.
pub(crate) async fn serve(
    name: &str,
    options: &EntryPoint,
    listener: TcpListener,
    house: Arc<House>,
    leave: Leave,
) {
    let metrics = house.metrics.as_ref();
    let door = Arc::new(Door {
        counts: metrics.map(|metrics| metrics.counts(name)),
        trouble: Seldom::default(),
        name: Arc::from(name),
        options: options.clone(),
        house,
        is_left: AtomicBool::new(false),
    });
    let lifecycle = &options.transport;
    let ending = Ending::default();
    tokio::select! {
        () = accept(&listener, &door, &ending) => {}
        () = leave.after(lifecycle.request_accept_grace_timeout) => {}
    }
    drop(listener);
    door.is_left.store(true, Ordering::Relaxed);
    ending.drain(name, lifecycle.grace_timeout).await;
}

async fn accept(listener: &TcpListener, door: &Arc<Door>, ending: &Ending) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let task = connection(socket, canonical(peer), Arc::clone(door), ending.clone());
                ending.tasks.spawn(task);
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

/// Speaks HTTP over a connection until it ends.
async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    (peer, tls): (SocketAddr, Option<Arc<TlsSession>>),
    door: Arc<Door>,
    ending: Ending,
) {
    let options = &door.options;
    let traffic = Arc::new(Traffic::new(&options.transport));
    let limits = Limits {
        head: options.max_header_bytes,
        read: options.transport.read_timeout,
        write: options.transport.write_timeout,
        idle: options.transport.idle_timeout,
    };
    let connection = Arc::new(Connection::new(Arc::clone(&door.name), peer, tls));
    let wire = Wire::new(stream, Arc::clone(&traffic), limits);
    let tunnels = Arc::new(Tunnels {
        tasks: ending.tasks.clone(),
        last: ending.last.clone(),
        cut: ending.cut.clone(),
        is_raw: Arc::clone(&traffic.is_raw),
    });
    let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| {
        let in_flight = traffic.begin();
        if request.headers().contains_key(UPGRADE) {
            request.extensions_mut().insert(Arc::clone(&tunnels));
        }
        let (door, connection) = (Arc::clone(&door), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(door.answer(request, connection, in_flight).await) }
    });
    let builder = protocol(options);
    let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(wire), service));
    // A set of one: it is asked only when it has something to say, not whenever bytes come.
    let mut no_more = FuturesUnordered::from_iter([no_more(&ending, &traffic)]);
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        _ = no_more.next() => {
            served.as_mut().graceful_shutdown();
            tokio::select! {
                outcome = served.as_mut() => outcome,
                () = ending.cut.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(entry_point = &*door.name, %peer, error, "connection ended");
    }
}

/// Waits until a connection may be told to end. HTTP/2 can be told without losing a request
/// (RFC 9113 section 6.8), HTTP/1 only in an answer.
async fn no_more(ending: &Ending, traffic: &Traffic) {
    tokio::select! {
        () = ending.last.cancelled() => {}
        () = traffic.is_over() => {}
    }
    if !traffic.is_http2() {
        ending.idle.cancelled().await;
    }
}

fn protocol(options: &EntryPoint) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .title_case_headers(true)
        .max_buf_size(options.max_header_bytes.max(LEAST_BUFFER))
        // The wire has its own clock, which knows more.
        .header_read_timeout(None)
        .timer(TokioTimer::new());
    builder
        .http2()
        .max_concurrent_streams(options.max_concurrent_streams)
        .max_header_list_size(u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX))
        .timer(TokioTimer::new());
    builder
}
