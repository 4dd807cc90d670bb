//! The listening sockets of this process, by the addresses as they are configured.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::process::Listen;

/// Sockets that were taken over and wait for somebody who wants their address, and those in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Sockets(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    inherited: BTreeMap<String, Vec<TcpListener>>,
    used: Vec<(String, TcpListener)>,
}

impl Sockets {
    /// What another process listened at.
    pub(super) fn inherited(pairs: impl Iterator<Item = (String, TcpListener)>) -> Self {
        let mut inherited: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (address, socket) in pairs {
            inherited.entry(address).or_default().push(socket);
        }
        Self(Arc::new(Mutex::new(State {
            inherited,
            used: Vec::new(),
        })))
    }

    /// Listens with what was inherited, or else as `otherwise` does, and keeps a second handle of
    /// each socket for who comes next.
    pub(super) fn listen(&self, otherwise: &Listen) -> Listen {
        let (sockets, otherwise) = (self.clone(), Arc::clone(otherwise));
        Arc::new(move |address| {
            let known = sockets
                .locked()
                .inherited
                .get_mut(address)
                .and_then(Vec::pop);
            let socket = known.map_or_else(|| otherwise(address), Ok)?;
            let second = socket.try_clone()?;
            sockets.locked().used.push((address.to_owned(), second));
            Ok(socket)
        })
    }

    /// Closes what was inherited and nobody wants any more.
    pub(super) fn close_unwanted(&self) {
        self.locked().inherited.clear();
    }

    /// Closes this process's second handles, so that an address is free when it is left.
    pub(super) fn close(&self) {
        *self.locked() = State::default();
    }

    /// The addresses in use, with handles of their sockets.
    pub(super) fn copies(&self) -> io::Result<(Vec<String>, Vec<TcpListener>)> {
        let state = self.locked();
        let pairs = state.used.iter();
        pairs
            .map(|(address, socket)| Ok((address.clone(), socket.try_clone()?)))
            .collect()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_was_inherited_is_used_by_its_address_and_the_rest_is_opened_or_closed() {
        let open: Listen = Arc::new(|_| TcpListener::bind("127.0.0.1:0"));
        let [kept, dropped] = [(); 2].map(|()| open("").unwrap());
        let addresses = [&kept, &dropped].map(|socket| socket.local_addr().unwrap());
        let inherited = [(":80".to_owned(), kept), (":81".to_owned(), dropped)];
        let sockets = Sockets::inherited(inherited.into_iter());
        let listen = sockets.listen(&open);
        assert_eq!(listen(":80").unwrap().local_addr().unwrap(), addresses[0]);
        // A second entry point of the same address has none to inherit.
        assert_ne!(listen(":80").unwrap().local_addr().unwrap(), addresses[0]);
        listen(":82").unwrap();
        sockets.close_unwanted();
        let connected = addresses.map(|address| std::net::TcpStream::connect(address).is_ok());
        assert_eq!(connected, [true, false]);
        let (used, copies) = sockets.copies().unwrap();
        assert_eq!(used, [":80", ":80", ":82"]);
        assert_eq!(copies.len(), 3);
        drop(copies);
        sockets.close();
        assert!(std::net::TcpStream::connect(addresses[0]).is_err());
    }
}
