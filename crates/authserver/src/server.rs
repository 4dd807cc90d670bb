//! The server as the binary and tests use it: made of options, a store, a clock and randomness,
//! driven in memory through its routers or over listeners.

use std::{io, sync::Arc};

use arc_swap::ArcSwap;
use axum::Router;
use carnet_oauth::{Clock, Random};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Options, OptionsError, PortOptions,
    domain::{Authority, Error},
    http::{
        self,
        metrics::Metrics,
        serve::{self, Listener, Port},
    },
    store::Store,
};

/// The authorization server. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Authserver {
    authority: Arc<ArcSwap<Authority>>,
    public: Arc<ArcSwap<Port>>,
    admin: Arc<ArcSwap<Port>>,
    metrics: Arc<Metrics>,
    /// Makes missing keys and removes expired rows; ends with the last clone.
    _maintenance: Arc<AbortOnDropHandle<()>>,
}

impl Authserver {
    /// Opens the keys in the store and starts to make those that are missing, in the background:
    /// the server answers meanwhile, and who needs a key waits for it.
    ///
    /// # Errors
    /// When the store fails, a key in it cannot be opened with the system secrets at hand, or TLS
    /// cannot be spoken.
    pub async fn new(
        options: Options,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let authority = Arc::new(Authority::new(options, store, clock, random).await?);
        let metrics = Arc::new(Metrics::new(&authority));
        let (public, admin) = ports(&authority, &metrics)?;
        let authority = Arc::new(ArcSwap::new(authority));
        let maintenance = tokio::spawn(Authority::maintain(Arc::clone(&authority)));
        Ok(Self {
            authority,
            public: Arc::new(ArcSwap::from_pointee(public)),
            admin: Arc::new(ArcSwap::from_pointee(admin)),
            metrics,
            _maintenance: Arc::new(AbortOnDropHandle::new(maintenance)),
        })
    }

    /// Serves under other options from the next request on; a request in flight keeps those that it
    /// began with, a connection its TLS. The system secrets, how keys are made and when failures
    /// are answered stay as they were at the start.
    ///
    /// # Errors
    /// When TLS cannot be spoken. Nothing has changed then.
    pub fn reload(&self, options: Options) -> Result<(), OptionsError> {
        let authority = Arc::new(self.authority.load().with(options));
        let (public, admin) = ports(&authority, &self.metrics)?;
        self.authority.store(authority);
        self.public.store(Arc::new(public));
        self.admin.store(Arc::new(admin));
        Ok(())
    }

    /// The public endpoints: tokens, revocation, keys, discovery, health; as the options are now.
    pub fn public_router(&self) -> Router {
        self.public.load().router()
    }

    /// The administrator's endpoints: clients, keys, introspection, health, metrics,
    /// version; as the options are now.
    pub fn admin_router(&self) -> Router {
        self.admin.load().router()
    }

    /// Serves the public endpoints until `shutdown` is cancelled and the drain delay is over, then
    /// finishes what is in flight, for ten seconds at most. HTTP/1.1, and HTTP/2 for clients that begin with it; over TLS where
    /// the options say so.
    ///
    /// # Errors
    /// When the runtime cannot use the listener.
    pub async fn serve_public(
        &self,
        listener: impl Into<Listener>,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        serve::serve(
            Arc::clone(&self.public),
            listener.into(),
            self.leaving(shutdown),
        )
        .await
    }

    /// Serves the administrator's endpoints, in the same way.
    ///
    /// # Errors
    /// When the runtime cannot use the listener.
    pub async fn serve_admin(
        &self,
        listener: impl Into<Listener>,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        serve::serve(
            Arc::clone(&self.admin),
            listener.into(),
            self.leaving(shutdown),
        )
        .await
    }

    /// From the end that was asked for until no connection is taken any more. Whoever asks meanwhile
    /// hears that the server is not ready.
    async fn leaving(&self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
        let authority = self.authority.load_full();
        authority.drain();
        tokio::time::sleep(authority.options.ports.drain_delay).await;
    }
}

/// What both ports serve, the public one first.
fn ports(authority: &Arc<Authority>, metrics: &Arc<Metrics>) -> Result<(Port, Port), OptionsError> {
    let told = &authority.options.ports;
    let public = http::public::edge(Arc::clone(authority), Arc::clone(metrics));
    let admin = http::admin::edge(Arc::clone(authority), Arc::clone(metrics));
    Ok((
        Port {
            edge: Arc::new(public),
            tls: tls("public", &told.public, authority.options.mtls.is_enabled)?,
        },
        Port {
            edge: Arc::new(admin),
            tls: tls("admin", &told.admin, false)?,
        },
    ))
}

fn tls(
    name: &'static str,
    told: &PortOptions,
    asks_for_certificates: bool,
) -> Result<Option<Arc<rustls::ServerConfig>>, OptionsError> {
    let config = told.tls.as_ref();
    let config = config.map(|told| serve::server_config(told, asks_for_certificates));
    config
        .transpose()
        .map_err(|error| OptionsError::Tls(name, error))
}
