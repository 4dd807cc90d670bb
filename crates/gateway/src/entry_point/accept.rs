//! Takes connections, speaks HTTP/1.1 and HTTP/2 (with prior knowledge) over them, and lets go of
//! them in good order when the process ends.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::install::EntryPoint;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handshake::{self, Stream};
use super::line::{Door, House};
use super::traffic::Traffic;
use super::wire::{Limits, Wire};
use crate::service::Tunnels;
use crate::tls::TlsSession;

/// Concurrent requests of one HTTP/2 connection. Traefik's value.
const MAX_CONCURRENT_STREAMS: u32 = 250;
/// Field lines of a head; more answer 431.
const MAX_HEADERS: usize = 100;
/// The parser's own least buffer.
const LEAST_BUFFER: usize = 8 << 10;
/// Without descriptors or memory, the listener waits for some to be given back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How connections end.
#[derive(Debug, Clone, Default)]
struct Ending {
    tasks: TaskTracker,
    /// No new request is taken.
    graceful: CancellationToken,
    /// Everything stops.
    cut: CancellationToken,
}

/// Serves an entry point until `shutdown`, then drains it.
pub(crate) async fn serve(
    name: &str,
    options: &EntryPoint,
    listener: TcpListener,
    house: Arc<House>,
    shutdown: CancellationToken,
) {
    let door = Arc::new(Door {
        name: Arc::from(name),
        options: options.clone(),
        house,
    });
    let lifecycle = &options.transport;
    let ending = Ending::default();
    let leave = async {
        shutdown.cancelled().await;
        tokio::time::sleep(lifecycle.request_accept_grace_timeout).await;
    };
    tokio::select! {
        () = accept(&listener, &door, &ending) => {}
        () = leave => {}
    }
    drop(listener);
    ending.graceful.cancel();
    ending.tasks.close();
    let drained = tokio::time::timeout(lifecycle.grace_timeout, ending.tasks.wait()).await;
    if drained.is_err() {
        tracing::warn!(entry_point = name, "requests cut after the grace timeout");
        ending.cut.cancel();
        ending.tasks.wait().await;
    }
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
                tracing::warn!(entry_point = &*door.name, %error, "connections cannot be accepted");
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
    let _ = socket.set_nodelay(true);
    let begun = tokio::select! {
        begun = handshake::begin(socket, &door) => begun,
        () = ending.graceful.cancelled() => return,
    };
    match begun {
        Ok(Stream::Plain(socket)) => speak(socket, (peer, None), door, ending).await,
        Ok(Stream::Tls(stream, session)) => {
            speak(stream, (peer, Some(session)), door, ending).await;
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
    let traffic = Arc::new(Traffic::default());
    let options = &door.options;
    let limits = Limits {
        head: options.max_header_bytes,
        read: options.transport.read_timeout,
        write: options.transport.write_timeout,
        idle: options.transport.idle_timeout,
    };
    let wire = Wire::new(stream, Arc::clone(&traffic), limits);
    let tunnels = Tunnels {
        tasks: ending.tasks.clone(),
        cut: ending.cut.clone(),
        is_raw: Arc::clone(&traffic.is_raw),
    };
    let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| {
        let in_flight = traffic.begin();
        request.extensions_mut().insert(tunnels.clone());
        let (door, tls) = (Arc::clone(&door), tls.clone());
        async move { Ok::<_, Infallible>(door.answer(request, (peer, tls), in_flight).await) }
    });
    let builder = protocol(options);
    let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(wire), service));
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        () = ending.graceful.cancelled() => {
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

fn protocol(options: &EntryPoint) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .title_case_headers(true)
        .max_headers(MAX_HEADERS)
        .max_buf_size(options.max_header_bytes.max(LEAST_BUFFER))
        // The wire has its own clock, which knows more.
        .header_read_timeout(None)
        .timer(TokioTimer::new());
    builder
        .http2()
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_header_list_size(u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX))
        .timer(TokioTimer::new());
    builder
}
