//! The server as the binary and tests use it: made of options, a store, a clock and randomness,
//! driven in memory through its routers or over listeners.

use std::{io, sync::Arc};

use axum::Router;
use carnet_oauth::{Clock, Random};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Options,
    domain::{Authority, Error},
    http::{
        self,
        metrics::{Metrics, counted},
    },
    store::Store,
};

/// The authorization server. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Authserver {
    public: Router,
    admin: Router,
    /// Makes missing keys and removes expired rows; ends with the last clone.
    _maintenance: Arc<AbortOnDropHandle<()>>,
}

impl Authserver {
    /// Opens the keys in the store and starts to make those that are missing, in the background:
    /// the server answers meanwhile, and who needs a key waits for it.
    ///
    /// # Errors
    /// When the store fails, or a key in it cannot be opened with the system secrets at hand.
    pub async fn new(
        options: Options,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let authority = Arc::new(Authority::new(options, store, clock, random).await?);
        let metrics = Arc::new(Metrics::new(&authority));
        let public = http::public::router(Arc::clone(&authority));
        let admin = http::admin::router(Arc::clone(&authority), Arc::clone(&metrics));
        let maintenance = tokio::spawn(authority.maintain());
        Ok(Self {
            public: counted(public, &metrics),
            admin: counted(admin, &metrics),
            _maintenance: Arc::new(AbortOnDropHandle::new(maintenance)),
        })
    }

    /// The public endpoints: tokens, revocation, keys, discovery, health.
    pub fn public_router(&self) -> Router {
        self.public.clone()
    }

    /// The administrator's endpoints: clients, keys, introspection, health, metrics,
    /// version.
    pub fn admin_router(&self) -> Router {
        self.admin.clone()
    }

    /// Serves the public endpoints until `shutdown` is cancelled, then finishes what is in flight,
    /// for ten seconds at most. HTTP/1.1, and HTTP/2 for clients that begin with it.
    ///
    /// # Errors
    /// When the runtime cannot use the listener.
    pub async fn serve_public(
        &self,
        listener: std::net::TcpListener,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        http::serve::serve(self.public_router(), listener, shutdown).await
    }

    /// Serves the administrator's endpoints, in the same way.
    ///
    /// # Errors
    /// When the runtime cannot use the listener.
    pub async fn serve_admin(
        &self,
        listener: std::net::TcpListener,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        http::serve::serve(self.admin_router(), listener, shutdown).await
    }
}
