//! The gateway as its process sees it: made once, given configurations, served until shutdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::install::{self, EntryPoint};
use carnet_config::routing::{RoutingConfig, ServersTransport};
use carnet_oauth::{Clock, Random};
use futures_util::future::join_all;
use http::HeaderValue;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::access_log::AccessLog;
use crate::api::{Offers, Readiness, State};
use crate::entry_point::{self, House, Leave, Listener, Numbering};
use crate::metrics::Metrics;
use crate::middleware::ServerStatus;
use crate::room::Room;
use crate::service;
use crate::snapshot::{SnapshotHandle, Surroundings};
use crate::supplies::{Resolve, Supplies};
use crate::tls::acme::{CertificatesResolver, Resolvers};
use crate::tls::{Identity, Issued};
use crate::token_source::{CachedToken, ProviderFigures, Providers};
use crate::traces::{Tracer, Tracing};
use crate::upstream::Own;

/// Where the access log goes.
pub type Output = Arc<Mutex<dyn std::io::Write + Send>>;

/// All a gateway needs of the world.
#[derive(Clone)]
pub struct Options {
    /// Where it listens.
    pub entry_points: BTreeMap<String, EntryPoint>,
    /// `None`: no access log.
    pub access_log: Option<install::AccessLog>,
    /// Where the access log is written; locked for one line at a time.
    pub access_log_output: Output,
    /// `None`: no `/ping`, `/livez`, `/readyz`.
    pub ping: Option<install::Ping>,
    /// Who gives certificates, by the names that routers use.
    pub certificates_resolvers: BTreeMap<String, CertificatesResolver>,
    /// How servers are reached whose services name no transport; its files have been read.
    pub servers_transport: ServersTransport,
    /// What is counted.
    pub metrics: install::Metrics,
    /// `None`: no `/api`.
    pub api: Option<install::Api>,
    /// `None`: nothing is traced.
    pub tracing: Option<Tracing>,
    /// Who gives configurations, as `/api` names them: `File`.
    pub providers: Vec<String>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Names that are resolved before the system is asked.
    pub resolve: Resolve,
    /// Memory of the process in bytes, where that is known: a sixth of it may be taken by large
    /// requests.
    pub memory: Option<u64>,
    /// Name of this machine, sent as `X-Forwarded-Server`.
    pub hostname: String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("entry_points", &self.entry_points)
            .field("access_log", &self.access_log)
            .field("ping", &self.ping)
            .field("metrics", &self.metrics)
            .field("api", &self.api)
            .field("hostname", &self.hostname)
            .finish_non_exhaustive()
    }
}

/// The data plane.
#[derive(Debug)]
pub struct Gateway {
    entry_points: BTreeMap<String, EntryPoint>,
    servers_transport: ServersTransport,
    supplies: Supplies,
    offers: Offers,
    readiness: Arc<Readiness>,
    default_certificate: Option<Identity>,
    resolvers: Resolvers,
    house: Arc<House>,
    handed_over: CancellationToken,
}

impl Gateway {
    /// A gateway without routes: it answers 404, and `/ping` where that is configured.
    pub fn new(options: Options) -> Self {
        let readiness = Arc::new(Readiness::new());
        let issued = Arc::new(Issued::default());
        let metrics = Metrics::new(&options.metrics, &issued);
        let snapshots = Arc::new(SnapshotHandle::default());
        let providers = Arc::new(Providers::new());
        let state = State {
            providers: &providers,
            readiness: &readiness,
            metrics: metrics.as_ref(),
            snapshots: &snapshots,
        };
        let mut offers = Offers::new(&options, &state);
        let access_log = options.access_log.as_ref();
        let tracing = options.tracing.as_ref();
        let tracer = tracing.map(|told| Arc::new(Tracer::new(told)));
        let room = Room::of(options.memory);
        let supplies = Supplies {
            clock: Arc::clone(&options.clock),
            random: options.random,
            resolve: options.resolve,
            own: Own::default(),
            providers,
            proofs: Arc::default(),
            room: Arc::clone(&room),
            tracer: tracer.clone(),
        };
        let resolvers = Resolvers::new(options.certificates_resolvers, issued, &supplies);
        let challenges = Arc::clone(resolvers.challenges());
        offers
            .services
            .insert("acme-http@internal".to_owned(), challenges);
        let gateway = Self {
            entry_points: options.entry_points,
            servers_transport: options.servers_transport,
            supplies,
            offers,
            readiness,
            default_certificate: default_certificate(options.clock.as_ref()),
            house: Arc::new(House {
                challenges: Arc::clone(resolvers.challenges()),
                snapshots,
                access_log: access_log
                    .map(|told| AccessLog::new(told, options.access_log_output, metrics.clone())),
                metrics,
                tracer,
                clock: options.clock,
                room,
                hostname: HeaderValue::try_from(options.hostname)
                    .unwrap_or_else(|_| HeaderValue::from_static("")),
                count: Numbering::default(),
            }),
            resolvers,
            handed_over: CancellationToken::new(),
        };
        gateway.swap(&Arc::default());
        gateway
    }

    /// Serves a configuration from the next request on; requests in flight end by the one they
    /// began with. Gives all that is wrong with it: what its readers found and what compiling it
    /// found. Each finding is logged when it first appears.
    pub fn apply(&self, config: &RoutingConfig) -> Vec<Diagnostic> {
        self.apply_shared(&Arc::new(config.clone()))
    }

    /// As [`Gateway::apply`], of a configuration that is kept as it is instead of copied.
    pub fn apply_shared(&self, config: &Arc<RoutingConfig>) -> Vec<Diagnostic> {
        let before = self.house.snapshots.load();
        let diagnostics = self.swap(config);
        let snapshot = self.house.snapshots.load();
        let is_new = !Arc::ptr_eq(&before, &snapshot);
        if let Some(metrics) = self.house.metrics.as_ref().filter(|_| is_new) {
            metrics.reloaded(self.house.clock.now(), &snapshot);
        }
        self.readiness.configured();
        diagnostics
    }

    /// Whether the process may get traffic. The one who runs the providers holds it back.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Tells metrics whether all of the configuration could be read as it is now.
    pub fn note_current(&self, is_current: bool) {
        if let Some(metrics) = &self.house.metrics {
            metrics.is_current(is_current);
        }
    }

    /// The routes that are served, best first, for people: a line each.
    pub fn describe(&self) -> Vec<String> {
        self.house.snapshots.load().describe()
    }

    /// The servers of a load balancer by its qualified name (`whoami@file`), and whether they are
    /// well; nothing where there is no such.
    pub fn server_status(&self, service: &str) -> Vec<ServerStatus> {
        self.house.snapshots.load().server_status(service)
    }

    /// What was counted about each server that gives tokens, as long as a configuration names it.
    pub fn token_figures(&self) -> Vec<ProviderFigures> {
        self.supplies.providers.figures()
    }

    /// The tokens that are kept, without the tokens.
    pub fn cached_tokens(&self) -> Vec<CachedToken> {
        self.supplies.providers.cached()
    }

    /// Serves each entry point at the listener of its name until `shutdown`, then drains. The
    /// listeners must be non-blocking. An entry point without a listener is not served.
    pub async fn serve(
        &self,
        listeners: BTreeMap<String, std::net::TcpListener>,
        shutdown: CancellationToken,
    ) {
        self.serve_on(&[], listeners, shutdown).await;
    }

    /// The same, with each connection served by one of these runtimes, of one thread each. What a
    /// request touches is touched by its thread alone then. They must last until this returns.
    pub async fn serve_on(
        &self,
        threads: &[Handle],
        mut listeners: BTreeMap<String, std::net::TcpListener>,
        shutdown: CancellationToken,
    ) {
        let leave = Leave {
            shutdown: shutdown.clone(),
            handed_over: self.handed_over.clone(),
        };
        let addresses = listeners
            .values()
            .filter_map(|listener| listener.local_addr().ok());
        self.supplies
            .own
            .listens(addresses.collect(), threads.len());
        let served = self.entry_points.iter().filter_map(|(name, options)| {
            let listener = Listener::new(listeners.remove(name)?, threads);
            match listener {
                Ok(listener) => Some(entry_point::serve(
                    name,
                    options,
                    listener,
                    Arc::clone(&self.house),
                    leave.clone(),
                )),
                Err(error) => {
                    tracing::error!(entry_point = name, %error, "listener cannot be used");
                    None
                }
            }
        });
        let served = join_all(served);
        let announce = async {
            tokio::select! {
                () = shutdown.cancelled() => self.readiness.drain(),
                () = self.handed_over.cancelled() => {}
                () = self.resolvers.run() => {}
            }
        };
        let served = async { tokio::join!(served, announce) };
        let log = self.house.access_log.as_ref();
        let flushed = async {
            match log {
                Some(log) => log.keep_flushing().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = served => {}
            () = service::rounds(&self.house.snapshots, &self.supplies.random) => {}
            () = flushed => {}
        }
        if let Some(log) = log {
            log.flush();
        }
    }

    /// Leaves the sockets to another process, which accepts from them: no connection is taken from
    /// now on, what is open ends as at shutdown, and [`Gateway::serve`] returns. Nobody is told
    /// that the process goes away, since for clients it does not.
    pub fn hand_over(&self) {
        self.handed_over.cancel();
    }

    fn swap(&self, config: &Arc<RoutingConfig>) -> Vec<Diagnostic> {
        let snapshots = &self.house.snapshots;
        let before = snapshots.load();
        let metrics = self.house.metrics.as_deref();
        let around = Surroundings {
            supplies: &self.supplies,
            entry_points: &self.entry_points,
            servers_transport: &self.servers_transport,
            internal: &self.offers.services,
            default_certificate: self.default_certificate.as_ref(),
            acme: self.resolvers.entry_points(),
            resolvers: self.resolvers.names(),
            issued: self.resolvers.issued(),
            metrics,
            routers: &self.offers.routers,
        };
        let snapshot = snapshots.apply(config, &around);
        self.resolvers.want(snapshot.wanted().clone());
        let told: BTreeSet<_> = before.diagnostics().iter().collect();
        let findings = snapshot.diagnostics().iter();
        findings
            .filter(|finding| !told.contains(finding))
            .for_each(log);
        snapshot.diagnostics().to_vec()
    }
}

/// Shown to clients that ask for a name without a certificate, as Traefik does.
fn default_certificate(clock: &dyn Clock) -> Option<Identity> {
    let generated = Identity::generated(clock.now());
    let failed = |reason: &String| tracing::error!(reason, "no default certificate");
    generated.inspect_err(failed).ok()
}

fn log(finding: &Diagnostic) {
    match finding.severity {
        Severity::Warning => tracing::warn!(%finding, "configuration"),
        Severity::Error => tracing::error!(%finding, "configuration"),
    }
}
