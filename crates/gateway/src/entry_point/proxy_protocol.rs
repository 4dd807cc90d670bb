//! The PROXY protocol, versions 1 and 2: a balancer in front says, before the first byte of its
//! client, whose connection it is. Only peers that the entry point names may; what others send is
//! read as what it is then, a malformed request.
//!
//! Source: <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>.

use std::io;
use std::net::SocketAddr;

use carnet_config::install::EntryPoint;
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader};
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// How a header of version 1 begins.
const V1: &[u8] = b"PROXY ";
/// How a header of version 2 begins.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a header of version 1.
const MAX_V1: usize = 107;
/// Bytes of a header. Its extensions are a few hundred at most.
const MAX: usize = 4 << 10;

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// More of them are needed to tell.
    Undecided,
    /// The client's own: balancers may leave the header out.
    NoHeader,
    /// A header of so many bytes; with a client, unless the balancer speaks for itself.
    Header(usize, Option<SocketAddr>),
    /// A header that is none.
    Malformed,
}

/// The client of a connection: the peer, or for whom the peer speaks. The bytes that say so are
/// gone from the socket then.
pub(super) async fn client(
    socket: &TcpStream,
    peer: SocketAddr,
    options: &EntryPoint,
) -> io::Result<SocketAddr> {
    let trusts = options
        .proxy_protocol
        .as_ref()
        .is_some_and(|options| options.trusts(peer.ip()));
    if !trusts {
        return Ok(peer);
    }
    // Boxed: a task is as large as all that it may ever hold.
    let read = Box::pin(read(socket));
    let patience = options.transport.read_timeout;
    let client = match patience.is_zero() {
        true => read.await?,
        false => tokio::time::timeout(patience, read).await??,
    };
    Ok(client.unwrap_or(peer))
}

/// Waits for the first bytes, and takes the header off them if there is one.
async fn read(socket: &TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut bytes = [0; MAX];
    loop {
        let ready = socket.ready(Interest::READABLE).await?;
        // Bytes that do not decide yet stay where they are; more of them wake us again.
        let taken = socket.try_io(Interest::READABLE, || take(socket, &mut bytes));
        match taken {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if ready.is_read_closed() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            taken => return taken,
        }
    }
}

fn take(socket: &TcpStream, bytes: &mut [u8; MAX]) -> io::Result<Option<SocketAddr>> {
    let (_, length) = rustix::net::recv(socket, &mut bytes[..], RecvFlags::PEEK)?;
    match judge(&bytes[..length]) {
        Beginning::NoHeader => Ok(None),
        Beginning::Header(header, client) => {
            rustix::net::recv(socket, &mut bytes[..header], RecvFlags::empty())?;
            Ok(client)
        }
        Beginning::Undecided if length < MAX => Err(io::ErrorKind::WouldBlock.into()),
        Beginning::Undecided | Beginning::Malformed => Err(io::Error::other(
            "the header of the PROXY protocol is malformed",
        )),
    }
}

/// Reads the first bytes of a connection, all that have come.
pub(crate) fn judge(bytes: &[u8]) -> Beginning {
    let (signature, max) = match bytes.first() {
        None => return Beginning::Undecided,
        Some(b'P') => (V1, MAX_V1),
        Some(b'\r') => (V2, MAX),
        Some(_) => return Beginning::NoHeader,
    };
    let common = bytes.iter().zip(signature).take_while(|(a, b)| a == b);
    match common.count() {
        all if all == signature.len() => {}
        some if some == bytes.len() => return Beginning::Undecided,
        _ => return Beginning::NoHeader,
    }
    let bytes = &bytes[..bytes.len().min(max)];
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((header, length)) => match header.proxied_address() {
            Some(address) if address.protocol != Protocol::Stream => Beginning::Malformed,
            address => Beginning::Header(length, address.map(|address| address.source)),
        },
        Err(Error::BufferTooShort) => Beginning::Undecided,
        Err(_) => Beginning::Malformed,
    }
}
