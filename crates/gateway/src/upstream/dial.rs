//! Making a connection: resolve, dial, TLS; or a Unix socket.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::uri::Scheme;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tls::Handshakes;
use super::{Failure, FailureKind, Own, Server, Transport, said, within};
use crate::supplies::Resolve;

/// Traefik's limit of a handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Dial(Arc<Inner>);

struct Inner {
    resolve: Resolve,
    own: Own,
    dial_timeout: Duration,
    handshakes: Handshakes,
}

impl Dial {
    pub(super) fn new(transport: &Transport, resolve: Resolve, own: Own) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            resolve,
            own,
            dial_timeout: transport.dial_timeout,
            handshakes: Handshakes::new(&transport.tls, transport.http2)?,
        })))
    }
}

impl Dial {
    /// A connection, encrypted where it is asked for; with HTTP/1.1 as the only choice if
    /// `only_http1` says so.
    pub(super) async fn connect(
        &self,
        server: &Server,
        only_http1: bool,
    ) -> Result<Stream, Failure> {
        let (authority, is_tls) = match server {
            Server::Socket(path) => return self.connect_socket(path).await.map(Stream::Socket),
            Server::Network(scheme, authority) => (authority, *scheme == Scheme::HTTPS),
        };
        let host = authority.host();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let own = if is_tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(own);
        let socket = self.in_time(self.0.dial(host, port)).await?;
        // Small writes go out at once: a response's head must not wait for its body.
        let _ = socket.set_nodelay(true);
        Ok(match is_tls {
            false => Stream::Plain(socket),
            true => {
                let encrypted = self.0.encrypt(host, socket, only_http1).await?;
                Stream::Tls(Box::new(encrypted))
            }
        })
    }

    async fn connect_socket(&self, path: &Path) -> Result<UnixStream, Failure> {
        let failed = |error: io::Error| {
            let text = format!("{}: {error}", path.display());
            Failure::new(FailureKind::Connect).because(said(text))
        };
        self.in_time(async { UnixStream::connect(path).await.map_err(failed) })
            .await
    }

    async fn in_time<T>(
        &self,
        dial: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        within(self.0.dial_timeout, dial)
            .await
            .unwrap_or_else(|| Err(Failure::new(FailureKind::DialTimeout)))
    }
}

impl Dial {
    /// What is known of the gateway itself.
    pub(super) fn own(&self) -> &Own {
        &self.0.own
    }

    /// Whether this connection leads to the gateway itself.
    pub(super) fn is_own(&self, stream: &Stream) -> bool {
        match stream {
            Stream::Plain(socket) => self.0.own.is_at(socket),
            Stream::Tls(stream) => self.0.own.is_at(stream.get_ref().0),
            Stream::Socket(_) => false,
        }
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
        only_http1: bool,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let failed = |text: String| Failure::new(FailureKind::Tls).because(said(text));
        let config = self.handshakes.config(only_http1).map_err(failed)?;
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
    Socket(UnixStream),
}

impl Stream {
    /// Whether nothing has come over it. Nobody is woken when that changes.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut space = [0; 1];
        match self {
            Self::Plain(stream) => {
                let read = stream.try_read(&mut space);
                read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Socket(_) | Self::Tls(_) => {
                let cx = &mut Context::from_waker(Waker::noop());
                let mut read = ReadBuf::new(&mut space);
                Pin::new(self).poll_read(cx, &mut read).is_pending()
            }
        }
    }

    /// Whether HTTP/2 was chosen in the handshake (RFC 7301).
    pub(super) fn chose_http2(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            Self::Plain(_) | Self::Socket(_) => false,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Socket(stream) => Pin::new(stream).poll_read(cx, buffer),
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
            Self::Socket(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Socket(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Socket(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Socket(stream) => stream.is_write_vectored(),
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
            Self::Socket(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }
}
