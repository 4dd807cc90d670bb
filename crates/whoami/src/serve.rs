//! Accepting connections, and letting go of them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Options};

/// How long requests in flight may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// A pause when the system has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Serves HTTP/1 and HTTP/2 in clear text until `shutdown` is cancelled; then finishes the
/// requests in flight, for ten seconds at most.
///
/// # Errors
/// When the listener cannot be used by the runtime.
pub async fn serve(
    options: Options,
    listener: std::net::TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let app = Arc::new(App::new(options, shutdown.clone()));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(talk(Arc::clone(&app), stream, peer, graceful.watcher()));
            }
            Err(cause) => {
                tracing::warn!(%cause, "connection not accepted");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    app.conversations.close();
    let ended = async { tokio::join!(graceful.shutdown(), app.conversations.wait()) };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("requests were still in flight at the end");
    }
    Ok(())
}

/// Serves one connection to its end.
async fn talk(
    app: Arc<App>,
    stream: TcpStream,
    peer: SocketAddr,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // A listener for both families reports IPv4 peers as mapped addresses; Go does not.
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().title_case_headers(true);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(cause) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(%peer, cause, "connection failed");
    }
}
