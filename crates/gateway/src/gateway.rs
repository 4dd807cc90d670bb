//! The gateway as its process sees it: made once, given configurations, served until shutdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::install::{self, EntryPoint};
use carnet_config::routing::RoutingConfig;
use carnet_oauth::{Clock, Random};
use futures_util::future::join_all;
use http::{HeaderValue, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::access_log::AccessLog;
use crate::api::{Noop, PingEndpoint, Readiness};
use crate::entry_point::{self, House, Leave};
use crate::middleware::Endpoint;
use crate::snapshot::{SnapshotHandle, Surroundings};
use crate::supplies::{Resolve, Supplies};
use crate::tls::Identity;
use crate::tls::acme::{CertificatesResolver, Resolvers};
use crate::token_source::{CachedToken, ProviderFigures, Providers};
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
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Names that are resolved before the system is asked.
    pub resolve: Resolve,
    /// Name of this machine, sent as `X-Forwarded-Server`.
    pub hostname: String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("entry_points", &self.entry_points)
            .field("access_log", &self.access_log)
            .field("ping", &self.ping)
            .field("hostname", &self.hostname)
            .finish_non_exhaustive()
    }
}

/// The data plane.
#[derive(Debug)]
pub struct Gateway {
    entry_points: BTreeMap<String, EntryPoint>,
    ping: Option<install::Ping>,
    supplies: Supplies,
    internal: BTreeMap<String, Arc<dyn Endpoint>>,
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
        let noop: Arc<dyn Endpoint> = Arc::new(Noop);
        let mut internal = BTreeMap::from([("noop@internal".to_owned(), noop)]);
        if let Some(ping) = &options.ping {
            let unavailable = StatusCode::SERVICE_UNAVAILABLE;
            let terminating = StatusCode::from_u16(ping.terminating_status_code);
            let endpoint = Arc::new(PingEndpoint {
                readiness: Arc::clone(&readiness),
                terminating: terminating.unwrap_or(unavailable),
            });
            internal.insert("ping@internal".to_owned(), endpoint);
        }
        let access_log = options.access_log.as_ref();
        let supplies = Supplies {
            clock: Arc::clone(&options.clock),
            random: options.random,
            resolve: options.resolve,
            own: Own::default(),
            providers: Arc::new(Providers::new()),
        };
        let resolvers = Resolvers::new(options.certificates_resolvers, &supplies);
        let challenges = Arc::clone(resolvers.challenges());
        internal.insert("acme-http@internal".to_owned(), challenges);
        let gateway = Self {
            entry_points: options.entry_points,
            ping: options.ping,
            supplies,
            internal,
            readiness,
            default_certificate: default_certificate(options.clock.as_ref()),
            house: Arc::new(House {
                challenges: Arc::clone(resolvers.challenges()),
                snapshots: SnapshotHandle::default(),
                access_log: access_log.map(|o| AccessLog::new(o, options.access_log_output)),
                clock: options.clock,
                hostname: HeaderValue::try_from(options.hostname)
                    .unwrap_or_else(|_| HeaderValue::from_static("")),
                count: 0.into(),
            }),
            resolvers,
            handed_over: CancellationToken::new(),
        };
        gateway.swap(&RoutingConfig::default());
        gateway
    }

    /// Serves a configuration from the next request on; requests in flight end by the one they
    /// began with. Gives all that is wrong with it: what its readers found and what compiling it
    /// found. Each finding is logged when it first appears.
    pub fn apply(&self, config: &RoutingConfig) -> Vec<Diagnostic> {
        let diagnostics = self.swap(config);
        self.readiness.release("configuration");
        diagnostics
    }

    /// Whether the process may get traffic. The one who runs the providers holds it back.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The routes that are served, best first, for people: a line each.
    pub fn describe(&self) -> Vec<String> {
        self.house.snapshots.load().describe()
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
        self.supplies.own.listens(addresses.collect());
        let served = self.entry_points.iter().filter_map(|(name, options)| {
            let listener = tokio::net::TcpListener::from_std(listeners.remove(name)?);
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
        tokio::join!(served, announce);
        if let Some(log) = &self.house.access_log {
            log.flush();
        }
    }

    /// Leaves the sockets to another process, which accepts from them: no connection is taken from
    /// now on, what is open ends as at shutdown, and [`Gateway::serve`] returns. Nobody is told
    /// that the process goes away, since for clients it does not.
    pub fn hand_over(&self) {
        self.handed_over.cancel();
    }

    fn swap(&self, config: &RoutingConfig) -> Vec<Diagnostic> {
        let snapshots = &self.house.snapshots;
        let before = snapshots.load();
        let automatic = self.ping.as_ref().filter(|ping| !ping.manual_routing);
        let around = Surroundings {
            supplies: &self.supplies,
            entry_points: &self.entry_points,
            internal: &self.internal,
            default_certificate: self.default_certificate.as_ref(),
            ping: automatic.map(|ping| ping.entry_point.as_str()),
            acme: self.resolvers.entry_points(),
            resolvers: self.resolvers.names(),
            issued: self.resolvers.issued(),
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
