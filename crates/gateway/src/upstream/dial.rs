//! Making a connection: resolve, dial, TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::tls::Handshakes;
use super::{Failure, FailureKind, Transport, Used, said, within};
use crate::supplies::Resolve;

/// Traefik's limit of a handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Dial(Arc<Inner>);

struct Inner {
    resolve: Resolve,
    dial_timeout: Duration,
    handshakes: Handshakes,
}

impl Dial {
    pub(super) fn new(transport: &Transport, resolve: Resolve) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            resolve,
            dial_timeout: transport.dial_timeout,
            handshakes: Handshakes::new(&transport.tls, transport.http2_only)?,
        })))
    }
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Stream, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.connect(&uri).await })
    }
}

impl Inner {
    async fn connect(&self, uri: &Uri) -> Result<Stream, Failure> {
        let tls = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let socket = within(self.dial_timeout, self.dial(host, port))
            .await
            .unwrap_or_else(|| Err(Failure::new(FailureKind::DialTimeout)))?;
        // Small writes go out at once: a response's head must not wait for its body.
        let _ = socket.set_nodelay(true);
        let transport = match tls {
            false => Layer::Plain(TokioIo::new(socket)),
            true => Layer::Tls(Box::new(TokioIo::new(self.encrypt(host, socket).await?))),
        };
        Ok(Stream {
            layer: transport,
            used: Used::default(),
        })
    }

    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let addresses: Vec<SocketAddr> = match (self.resolve)(host, port) {
            Some(address) => vec![address],
            None => tokio::net::lookup_host((host, port))
                .await
                .map_err(|error| Failure::new(FailureKind::Name).because(error))?
                .collect(),
        };
        let mut last = Failure::new(FailureKind::Name);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last = refused(address, &error),
            }
        }
        Err(last)
    }

    async fn encrypt(
        &self,
        host: &str,
        socket: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let failed = |text: String| Failure::new(FailureKind::Tls).because(said(text));
        let config = self.handshakes.config().map_err(failed)?;
        let name = self.handshakes.server_name(host).map_err(failed)?;
        let handshake = TlsConnector::from(config).connect(name, socket);
        within(TLS_TIMEOUT, handshake)
            .await
            .ok_or_else(|| failed("no end in 10 s".to_owned()))?
            .map_err(|error| Failure::new(FailureKind::Tls).because(error))
    }
}

fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => FailureKind::DialTimeout,
        _ => FailureKind::Connect,
    };
    Failure::new(kind).because(said(format!("{address}: {error}")))
}

/// A connection of the pool.
pub(super) struct Stream {
    layer: Layer,
    used: Used,
}

enum Layer {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.used.clone());
        match &self.layer {
            Layer::Tls(stream) if stream.inner().get_ref().1.alpn_protocol() == Some(b"h2") => {
                connected.negotiated_h2()
            }
            _ => connected,
        }
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Layer::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().layer {
            Layer::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Layer::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Layer::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Layer::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.layer {
            Layer::Plain(stream) => stream.is_write_vectored(),
            Layer::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().layer {
            Layer::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Layer::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }
}
