//! Connections: HTTP/1.1 or, when a client begins with its preface, HTTP/2; slow starters are
//! closed; at the end, what is in flight is finished.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{Router, response::Response};
use hyper::{
    Request,
    body::Incoming,
    rt::{Read, Write},
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service as _;

/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// How long requests in flight may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long accepting rests when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// With what a connection of HTTP/2 begins (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a request knows of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connected {
    /// The other end; a unix socket has none.
    pub(crate) peer: Option<SocketAddr>,
}

/// Serves a router until `shutdown` is cancelled.
pub(crate) async fn serve(
    router: Router,
    listener: std::net::TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (graceful, connections) = (GracefulShutdown::new(), TaskTracker::new());
    let cut_off = CancellationToken::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let connected = Connected { peer: Some(peer) };
                let served = connection(stream, connected, router.clone(), graceful.watcher());
                connections.spawn(cut_off.clone().run_until_cancelled_owned(served));
            }
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let finished = async {
        graceful.shutdown().await;
        connections.wait().await;
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        cut_off.cancel();
    }
    Ok(())
}

async fn connection(mut stream: TcpStream, connected: Connected, router: Router, watcher: Watcher) {
    // Small answers should not wait for more; without it they are merely slower.
    let _ = stream.set_nodelay(true);
    let Ok(Ok((begin, is_http2))) =
        tokio::time::timeout(HEAD_PATIENCE, read_preface(&mut stream)).await
    else {
        return;
    };
    let (read, write) = stream.into_split();
    let io = TokioIo::new(tokio::io::join(io::Cursor::new(begin).chain(read), write));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connected);
        let answer = router.clone().call(request);
        async move { answer.await }
    });
    let ended = if is_http2 {
        serve_http2(io, service, watcher).await
    } else {
        serve_http1(io, service, watcher).await
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

async fn serve_http1<S>(
    io: impl Read + Write + Unpin + Send + 'static,
    service: S,
    watcher: Watcher,
) -> hyper::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(64 * 1024);
    watcher.watch(builder.serve_connection(io, service)).await
}

async fn serve_http2<S>(
    io: impl Read + Write + Unpin + Send + 'static,
    service: S,
    watcher: Watcher,
) -> hyper::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(HEAD_PATIENCE);
    watcher.watch(builder.serve_connection(io, service)).await
}

/// Reads until it is clear which protocol is spoken; gives back what was read.
async fn read_preface(stream: &mut TcpStream) -> io::Result<(Vec<u8>, bool)> {
    let mut begin = Vec::with_capacity(PREFACE.len());
    while begin.len() < PREFACE.len() && PREFACE.starts_with(&begin) {
        let mut rest = [0; PREFACE.len()];
        let missing = PREFACE.len() - begin.len();
        let count = stream.read(&mut rest[..missing]).await?;
        if count == 0 {
            break;
        }
        begin.extend_from_slice(&rest[..count]);
    }
    let is_http2 = begin == PREFACE;
    Ok((begin, is_http2))
}
