//! Addresses as users write them, to listening sockets.

use std::io;
use std::net::TcpListener;

/// Listens at `host:port` or, on all interfaces, at `:port`. The socket is ready for tokio.
pub(crate) fn bind(address: &str) -> io::Result<TcpListener> {
    match address.strip_prefix(':') {
        Some(port) => nonblocking(&format!("[::]:{port}"))
            // A machine without IPv6 has no such wildcard.
            .or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => nonblocking(&format!("0.0.0.0:{port}")),
            }),
        None => nonblocking(address),
    }
}

/// Listens at exactly this address.
fn nonblocking(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
    fn a_taken_port_is_one_sentence_that_says_what_to_do() {
        let first = bind("127.0.0.1:0").unwrap();
        let address = first.local_addr().unwrap().to_string();
        let error = bind(&address).unwrap_err();
        let sentence = explain(&address, &error);
        assert!(sentence.contains("choose another port"), "{sentence}");
    }
}
