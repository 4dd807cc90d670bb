//! Addresses as users write them, to listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use rustix::net::{AddressFamily, SocketFlags, SocketType, listen, socket_with, sockopt};

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;

/// Listens at `host:port` or, on all interfaces, at `:port`. The socket is ready for tokio.
pub(crate) fn bind(address: &str) -> io::Result<TcpListener> {
    wherever(address, nonblocking)
}

/// The same at an address at which others who do so may listen, too: the system deals connections
/// out among them (`SO_REUSEPORT`).
pub(crate) fn bind_beside(address: &str) -> io::Result<TcpListener> {
    wherever(address, shared)
}

fn wherever(
    address: &str,
    open: impl Fn(&str) -> io::Result<TcpListener>,
) -> io::Result<TcpListener> {
    match address.strip_prefix(':') {
        Some(port) => open(&format!("[::]:{port}"))
            // A machine without IPv6 has no such wildcard.
            .or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => open(&format!("0.0.0.0:{port}")),
            }),
        None => open(address),
    }
}

/// Listens at exactly this address.
fn nonblocking(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Listens at exactly this address, whoever else shares it.
fn shared(address: &str) -> io::Result<TcpListener> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in address.to_socket_addrs()? {
        outcome = shared_at(address);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn shared_at(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Why an address could not be taken, in one sentence that says what to do.
pub(crate) fn explain(address: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen at {address}: another program does already; stop it or choose another \
             port"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "cannot listen at {address}: this user may not; choose a port from 1024 on, or give \
             the program CAP_NET_BIND_SERVICE"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "cannot listen at {address}: this machine has no such address; choose one it has, or \
             `:PORT` for all of them"
        ),
        _ => format!("cannot listen at {address}: {error}; write it as HOST:PORT or :PORT"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_means_all_interfaces() {
        let listener = bind(":0").unwrap();
        assert!(listener.local_addr().unwrap().ip().is_unspecified());
    }

    #[test]
    fn an_address_is_shared_by_those_alone_who_all_want_to() {
        let first = bind_beside("127.0.0.1:0").unwrap();
        let address = first.local_addr().unwrap();
        let second = bind_beside(&address.to_string()).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
        let error = bind(&address.to_string()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        let connected = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(second.accept().unwrap().1, connected.local_addr().unwrap());
    }

    #[test]
    fn a_taken_port_is_one_sentence_that_says_what_to_do() {
        let first = bind("127.0.0.1:0").unwrap();
        let address = first.local_addr().unwrap().to_string();
        let error = bind(&address).unwrap_err();
        let sentence = explain(&address, &error);
        assert!(sentence.contains("choose another port"), "{sentence}");
    }
}
