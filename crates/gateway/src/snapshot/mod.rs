//! A configuration, compiled: all that a request needs, immutable, swapped as a whole. Knows routes,
//! chains and services; refuses to know where a configuration comes from. `compile.rs` makes
//! snapshots, `routers.rs` and `services.rs` its parts, `carry_over.rs` keeps what did not change;
//! where servers alone did, `servers.rs` leaves all else as it is.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use carnet_config::Shared;
use carnet_config::diagnostics::Diagnostic;
use carnet_config::routing::RoutingConfig;
use carnet_config::routing::router::Observability;
use carnet_config::routing::tls::TlsOptions;
use tokio::sync::Notify;

use crate::error::{Fault, Reason};
use crate::metrics::Series;
use crate::middleware::{Endpoint, Middleware, ServerStatus};
use crate::router::{Facts, Table};

mod acme;
mod carry_over;
mod compile;
mod routers;
mod servers;
mod services;
mod tls;

use carry_over::Shelf;
use compile::MiddlewareInput;
pub(crate) use compile::{Surroundings, compile};
use routers::Placement;
use services::{MemberInput, ServiceInput, TransportInput};

use crate::service::{Clients, Member};
use crate::shard::Copied;
use crate::tls::acme::Wanted;
use crate::tls::{CertificateFacts, Handshake, Handshakes, Policy, TlsSession};

/// A compiled router.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// Qualified name.
    pub(crate) name: Arc<str>,
    /// Its place among others; higher is asked first.
    pub(crate) priority: i64,
    pub(crate) chain: Chain,
    /// What is seen of its requests.
    pub(crate) seen: Seen,
    /// Whether it leads to the gateway itself.
    pub(crate) is_internal: bool,
    /// Connections under other options than these do not reach it.
    pub(crate) demands: Option<Arc<Policy>>,
}

/// What is seen of the requests of a route.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Whether they are written to the access log.
    pub(crate) access_logs: bool,
    /// Whether they are counted.
    pub(crate) metrics: bool,
    /// Whether they are traced.
    pub(crate) tracing: bool,
    /// Whether their traces tell of middlewares and services.
    pub(crate) detailed_traces: bool,
    /// What they are counted in, where routers are counted.
    pub(crate) series: Option<Arc<Series>>,
}

impl Seen {
    /// As its router or its entry point says; else everything is.
    pub(crate) fn new(options: Observability, series: Option<Arc<Series>>) -> Self {
        Self {
            access_logs: options.access_logs.unwrap_or(true),
            metrics: options.metrics.unwrap_or(true),
            tracing: options.tracing.unwrap_or(true),
            detailed_traces: options.detailed_traces.unwrap_or(false),
            series,
        }
    }
}

/// Where a route leads.
#[derive(Debug, Clone)]
pub(crate) enum Chain {
    Open {
        middlewares: Vec<Arc<dyn Middleware>>,
        endpoint: Arc<dyn Endpoint>,
    },
    /// To a 503: something it needs is missing or broken.
    Closed,
}

/// The routes of one entry point. A router with `tls` never sees a plain connection, one without
/// never an encrypted one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    /// Options of TLS connections, before there is a route.
    handshakes: Arc<Handshakes>,
    pub(crate) plain: Table<Copied<Arc<Route>>>,
    pub(crate) tls: Table<Copied<Arc<Route>>>,
}

/// A compiled configuration. What servers do not change is shared with the one before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    config: Arc<RoutingConfig>,
    diagnostics: Shared<Vec<Diagnostic>>,
    tables: BTreeMap<String, Tables>,
    policies: Shared<Shelf<TlsOptions, Arc<Policy>>>,
    transports: Shared<Shelf<TransportInput, Clients>>,
    members: Shelf<MemberInput, Arc<Member>>,
    /// What the certificates say of themselves, the default one's last.
    certificates: Shared<Vec<CertificateFacts>>,
    services: Shelf<ServiceInput, Arc<dyn Endpoint>>,
    middlewares: Shared<Shelf<MiddlewareInput, Arc<dyn Middleware>>>,
    /// Where each router stood when its rule could last be read.
    placements: Shared<BTreeMap<String, Placement>>,
    /// What routers want of certificate resolvers.
    wanted: Shared<Wanted>,
}

impl Snapshot {
    /// The route of a request.
    pub(crate) fn find(
        &self,
        entry_point: &str,
        session: Option<&TlsSession>,
        facts: &Facts<'_>,
    ) -> Result<&Copied<Arc<Route>>, Fault> {
        let absent = || Fault::new(Reason::NoRoute);
        let tables = self.tables.get(entry_point).ok_or_else(absent)?;
        let Some(session) = session else {
            return tables.plain.find(facts).ok_or_else(absent);
        };
        let is_under = |policy: &Arc<Policy>| Arc::ptr_eq(policy, session.policy());
        // What a host asks of its connections holds for every request, whatever name the
        // connection was opened with and whenever that was.
        let handshake = tables.handshakes.of(Some(facts.host_name()));
        if !handshake.is_some_and(|wanted| is_under(&wanted.policy)) {
            return Err(Fault::new(Reason::Misdirected));
        }
        let route = tables.tls.find(facts).ok_or_else(absent)?;
        match &route.demands {
            Some(demanded) if !is_under(demanded) => Err(Fault::new(Reason::Misdirected)),
            _ => Ok(route),
        }
    }

    /// How to make a TLS connection for the name a client asks for; `None`: not at all.
    pub(crate) fn handshake(&self, entry_point: &str, name: Option<&str>) -> Option<&Handshake> {
        self.tables.get(entry_point)?.handshakes.of(name)
    }

    /// What routers want of certificate resolvers.
    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The service of this name; `None` when it cannot be used.
    pub(crate) fn service(&self, name: &str) -> Option<&Arc<dyn Endpoint>> {
        self.services.find(name)?.as_ref().ok()
    }

    /// The configuration that it was made of.
    pub(crate) fn config(&self) -> &RoutingConfig {
        &self.config
    }

    /// What its certificates say of themselves.
    pub(crate) fn certificates(&self) -> &[CertificateFacts] {
        &self.certificates
    }

    /// All that is wrong with it, and all that its parts' readers found.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The servers of all load balancers.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.made()
    }

    /// The servers of a load balancer by its qualified name, and whether they are well; nothing
    /// where there is no such.
    pub(crate) fn server_status(&self, service: &str) -> Vec<ServerStatus> {
        match self.services.find(service) {
            Some(Ok(service)) => service.servers(),
            _ => Vec::new(),
        }
    }

    /// The routes of each entry point, as `ENTRY_POINT PRIORITY ROUTER -> what`, for tests and
    /// people.
    pub(crate) fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (entry_point, tables) in &self.tables {
            for (kind, table) in [("", &tables.plain), (" tls", &tables.tls)] {
                for route in table.targets() {
                    let target = match &route.chain {
                        Chain::Closed => "503".to_owned(),
                        Chain::Open { middlewares, .. } => {
                            let kinds: Vec<_> = middlewares.iter().map(|m| m.kind()).collect();
                            format!("[{}]", kinds.join(", "))
                        }
                    };
                    let (priority, name) = (route.priority, &route.name);
                    lines.push(format!("{entry_point}{kind} {priority} {name} -> {target}"));
                }
            }
        }
        lines
    }
}

/// The snapshot that is served now.
#[derive(Debug, Default)]
pub(crate) struct SnapshotHandle {
    served: ArcSwap<Snapshot>,
    changed: Notify,
}

impl SnapshotHandle {
    /// The snapshot of this moment, for a moment: nothing is written that threads share. A request
    /// keeps the route that it found in it.
    pub(crate) fn look(&self) -> impl Deref<Target = Arc<Snapshot>> {
        self.served.load()
    }

    /// The snapshot of this moment, to keep.
    pub(crate) fn load(&self) -> Arc<Snapshot> {
        self.served.load_full()
    }

    /// Waits for the next one, or for the last where nobody has waited since. For one to wait.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Serves the configuration from now on. An equal one changes nothing.
    pub(crate) fn apply(
        &self,
        config: &Arc<RoutingConfig>,
        around: &Surroundings<'_>,
    ) -> Arc<Snapshot> {
        let previous = self.load();
        if previous.config == *config && !previous.tables.is_empty() {
            return previous;
        }
        let servers_alone = previous.with_servers(config, around);
        let snapshot = servers_alone.unwrap_or_else(|| compile(config, &previous, around));
        let snapshot = Arc::new(snapshot);
        self.served.store(Arc::clone(&snapshot));
        self.changed.notify_one();
        snapshot
    }
}
