//! One connection: TLS where the port has it and the client begins it, then HTTP/1.1 or, when the
//! client begins with its preface, HTTP/2.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Port, endless,
    wire::{Traffic, Wire},
};
use crate::certificate::Certificate;

/// How long a handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long the other side of HTTP/2 may leave a sign of life unanswered.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// With what every handshake of TLS begins, and no request (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// The longest head of HTTP/1.
const MAX_HEAD: usize = 64 * 1024;

/// The longest head of HTTP/2, unpacked.
const MAX_HEADER_LIST: u32 = 16 * 1024;

/// A stream that was accepted.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// What a request knows of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connected {
    /// The other end; a unix socket has none.
    pub(crate) peer: Option<SocketAddr>,
    /// Whether it is TLS.
    pub(crate) is_secure: bool,
}

/// What there is beside the stream of a connection.
struct Beside {
    connected: Connected,
    certificate: Option<Certificate>,
    port: Arc<ArcSwap<Port>>,
    watcher: Watcher,
    ending: CancellationToken,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: Stream,
    port: Arc<ArcSwap<Port>>,
    watcher: Watcher,
    ending: CancellationToken,
) {
    let tls = port.load().tls.clone();
    let beside = |peer, is_secure, certificate| Beside {
        connected: Connected { peer, is_secure },
        certificate,
        port,
        watcher,
        ending,
    };
    match stream {
        Stream::Unix(stream) => speak(stream, beside(None, false, None)).await,
        Stream::Tcp(stream, peer) => {
            let peer = Some(SocketAddr::new(peer.ip().to_canonical(), peer.port()));
            let handshake = match tls {
                Some(tls) if begins_tls(&stream).await => tokio_rustls::TlsAcceptor::from(tls),
                _ => return speak(stream, beside(peer, false, None)).await,
            };
            match timeout(HANDSHAKE, handshake.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates();
                    let shown = shown
                        .unwrap_or_default()
                        .iter()
                        .map(|own| own.clone().into_owned());
                    let certificate = Certificate::new(shown.collect());
                    speak(stream, beside(peer, true, certificate)).await;
                }
                Ok(Err(error)) => tracing::debug!(error = %error, "a handshake of TLS failed"),
                Err(_) => tracing::debug!("a handshake of TLS took too long"),
            }
        }
    }
}

/// Whether the first byte is that of a handshake. Who sends none is let go by the clock of the wire.
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    let peeked = timeout(HANDSHAKE, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))) && first == [HANDSHAKE_RECORD]
}

/// Speaks HTTP.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Beside {
        connected,
        certificate,
        port,
        watcher,
        ending,
    }: Beside,
) {
    let traffic = Arc::new(Traffic::default());
    let wire = Wire::new(stream, Arc::clone(&traffic));
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        let in_flight = traffic.begin();
        request.extensions_mut().insert(connected);
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let edge = Arc::clone(&port.load().edge);
        let ending = ending.clone();
        async move {
            let answer = edge.answer(request.map(Body::new)).await;
            Ok::<_, Infallible>(endless::bounded(answer, in_flight, ending))
        }
    });
    let builder = protocols();
    let served = watcher.watch(builder.serve_connection(TokioIo::new(wire), service));
    if let Err(error) = served.await {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The wire has its own clock, which knows more.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(SIGN_OF_LIFE);
    builder
}
