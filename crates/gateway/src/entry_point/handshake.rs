//! From a socket to plain or encrypted bytes: the first byte of a client tells which it speaks, and
//! the name it asks for tells under which options.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::line::Door;
use crate::tls::TlsSession;

/// The first byte of a TLS record that holds a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// Traefik's limit for the first bytes and the handshake, where reading has no lower one.
const LIMIT: Duration = Duration::from_secs(10);

/// A client's connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>, Arc<TlsSession>),
}

/// Waits for the first byte and makes the handshake that it begins. A client that sends nothing is
/// left to the clock of the entry point.
pub(super) async fn begin(socket: TcpStream, door: &Door) -> io::Result<Stream> {
    let patience = door.options.transport.read_timeout;
    let first = async {
        let mut byte = [0];
        let read = socket.peek(&mut byte).await?;
        Ok::<_, io::Error>(byte.get(..read).and_then(<[u8]>::first).copied())
    };
    let first = match patience.is_zero() {
        true => first.await?,
        false => tokio::time::timeout(patience, first).await??,
    };
    match first {
        Some(HANDSHAKE) => {
            let limit = match patience.is_zero() {
                true => LIMIT,
                false => LIMIT.min(patience),
            };
            tokio::time::timeout(limit, encrypted(socket, door)).await?
        }
        _ => Ok(Stream::Plain(socket)),
    }
}

async fn encrypted(socket: TcpStream, door: &Door) -> io::Result<Stream> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    let name = start.client_hello().server_name().map(|name| {
        let name = name.strip_suffix('.').unwrap_or(name);
        name.to_ascii_lowercase()
    });
    let challenge = {
        let hello = start.client_hello();
        let protocols = hello.alpn().into_iter().flatten();
        door.house.challenges.handshake(name.as_deref(), protocols)
    };
    if let Some(config) = challenge {
        // The authority sees the certificate, and that is all.
        start.into_stream(config).await?;
        return Err(io::Error::other("an authority for certificates asked"));
    }
    let snapshot = door.house.snapshots.load();
    let handshake = snapshot.handshake(&door.name, name.as_deref());
    let Some(handshake) = handshake.cloned() else {
        return Err(io::Error::other("the TLS options of this name are broken"));
    };
    let stream = start.into_stream(handshake.config).await?;
    let session = TlsSession::new(handshake.policy, stream.get_ref().1);
    Ok(Stream::Tls(Box::new(stream), Arc::new(session)))
}
