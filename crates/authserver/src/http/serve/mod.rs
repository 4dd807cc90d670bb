//! Connections of a port, from accepting them to their end: TCP or a unix socket, TLS or plain,
//! HTTP/1.1 or HTTP/2. At the end of the process, what is in flight is finished.
//!
//! `connection` is one of them, `wire` its clock, `endless` an answer without an end, `tls` the handshake,
//! `client_certificate` what clients show in it, `insecure` who may do without it.

use std::{io, net, os::unix, pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::{Router, extract::Request};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::connection::Stream;
pub use self::tls::TlsError;
pub(crate) use self::{
    connection::Connected, endless::Endless, insecure::guarded, tls::server_config,
};
use crate::http::edge::Edge;

mod client_certificate;
mod connection;
mod endless;
mod insecure;
mod tls;
mod wire;

/// How long requests in flight may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long accepting rests when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens; see [`crate::Authserver::serve_public`].
#[derive(Debug)]
pub enum Listener {
    /// At an address.
    Tcp(net::TcpListener),
    /// At a file.
    Unix(unix::net::UnixListener),
}

impl From<net::TcpListener> for Listener {
    fn from(listener: net::TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<unix::net::UnixListener> for Listener {
    fn from(listener: unix::net::UnixListener) -> Self {
        Self::Unix(listener)
    }
}

/// What a port serves at the moment. A connection keeps the TLS that it began with, a request the
/// edge.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) edge: Arc<Edge>,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

impl Port {
    /// As a router that is not served but called.
    pub(crate) fn router(&self) -> Router {
        let edge = Arc::clone(&self.edge);
        Router::new().fallback(move |request: Request| async move { edge.answer(request).await })
    }
}

/// A listener in the hands of the runtime.
enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accepting {
    fn new(listener: Listener) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(Self::Unix)
            }
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                // Small answers should not wait for more; without it they are merely slower.
                let _ = stream.set_nodelay(true);
                Stream::Tcp(stream, peer)
            }),
            Self::Unix(listener) => listener
                .accept()
                .await
                .map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

/// Serves a port until it is time to leave.
pub(crate) async fn serve(
    port: Arc<ArcSwap<Port>>,
    listener: Listener,
    leaving: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = Accepting::new(listener)?;
    let (graceful, connections) = (GracefulShutdown::new(), TaskTracker::new());
    let (ending, cut_off) = (CancellationToken::new(), CancellationToken::new());
    let mut leaving = pin!(leaving);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = leaving.as_mut() => break,
        };
        match accepted {
            Ok(stream) => {
                let served = connection::serve(
                    stream,
                    Arc::clone(&port),
                    graceful.watcher(),
                    ending.clone(),
                );
                connections.spawn(cut_off.clone().run_until_cancelled_owned(served));
            }
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    ending.cancel();
    connections.close();
    let finished = async {
        graceful.shutdown().await;
        connections.wait().await;
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!("requests were cut off, because they took longer than the process may");
        cut_off.cancel();
    }
    Ok(())
}
