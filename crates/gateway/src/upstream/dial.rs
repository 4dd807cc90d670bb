//! Making a connection: resolve, dial, TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tls::Handshakes;
use super::{Failure, FailureKind, Transport, said, within};
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

impl Dial {
    /// A connection, encrypted where it is asked for.
    pub(super) async fn connect(
        &self,
        tls: bool,
        host: &str,
        port: u16,
    ) -> Result<Stream, Failure> {
        let inner = &self.0;
        let socket = within(inner.dial_timeout, inner.dial(host, port))
            .await
            .unwrap_or_else(|| Err(Failure::new(FailureKind::DialTimeout)))?;
        // Small writes go out at once: a response's head must not wait for its body.
        let _ = socket.set_nodelay(true);
        Ok(match tls {
            false => Stream::Plain(socket),
            true => Stream::Tls(Box::new(inner.encrypt(host, socket).await?)),
        })
    }
}

impl Inner {
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

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }
}
