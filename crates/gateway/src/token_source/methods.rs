//! Which way of showing a client's credentials worked last.
//!
//! Servers enforce the method a client was registered with, and no configuration says which. So
//! the first method is a guess by mode, the other one the second chance, and what worked is
//! remembered.

use carnet_oauth::client_auth::Method;
use quick_cache::sync::Cache;

use super::key::Key;

/// Clients remembered; the coldest are forgotten beyond it.
const CLIENTS: usize = 10_000;

/// What worked, by client.
pub(super) struct Methods {
    first: Method,
    known: Cache<Key, Method>,
}

impl Methods {
    pub(super) fn new(first: Method) -> Self {
        Self {
            first,
            known: Cache::new(CLIENTS),
        }
    }

    /// The two methods in the order in which to try them.
    pub(super) fn order(&self, client: &Key) -> [Method; 2] {
        match self.known.get(client).unwrap_or(self.first) {
            Method::Basic => [Method::Basic, Method::Post],
            // Only the two with a secret are ever tried or noted.
            _ => [Method::Post, Method::Basic],
        }
    }

    /// Notes what worked. The first guess needs no note.
    pub(super) fn worked(&self, client: Key, method: Method) {
        if method == self.first {
            self.known.remove(&client);
        } else {
            self.known.insert(client, method);
        }
    }

    /// Forgets what no longer works.
    pub(super) fn forget(&self, client: &Key) {
        self.known.remove(client);
    }
}
