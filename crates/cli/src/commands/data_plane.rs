//! A gateway with its sockets, as `gateway`, `up` and `demo` run it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use carnet_config::install::InstallConfig;
use carnet_config::routing::{RoutingConfig, ServersTransport};
use carnet_gateway::{Gateway, Options, Tracing};
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{acme_json, log_file};
use crate::boot::{self, Threads};
use crate::output::Failure;
use crate::process::Process;

/// A gateway that serves.
pub(super) struct DataPlane {
    gateway: Arc<Gateway>,
    addresses: BTreeMap<String, SocketAddr>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

/// A gateway with sockets at which nobody is served yet.
pub(super) struct Bound {
    gateway: Arc<Gateway>,
    listeners: BTreeMap<String, TcpListener>,
    addresses: BTreeMap<String, SocketAddr>,
    shutdown: CancellationToken,
    threads: Threads,
}

impl Bound {
    /// The gateway, to be given a configuration before the first request.
    pub(super) fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// Serves every entry point.
    pub(super) fn serve(self) -> DataPlane {
        let (gateway, shutdown) = (Arc::clone(&self.gateway), self.shutdown.clone());
        let (listeners, threads) = (self.listeners, self.threads);
        let serving = tokio::spawn(async move {
            let handles = threads.handles();
            gateway.serve_on(handles, listeners, shutdown).await;
        });
        DataPlane {
            gateway: self.gateway,
            addresses: self.addresses,
            shutdown: self.shutdown,
            serving,
        }
    }
}

impl DataPlane {
    /// Binds every entry point, then serves them: 404 until there is a configuration.
    pub(super) fn start(install: &InstallConfig, process: &Process) -> Result<Self, Failure> {
        Ok(Self::bind(install, process)?.serve())
    }

    /// Binds every entry point.
    pub(super) fn bind(install: &InstallConfig, process: &Process) -> Result<Bound, Failure> {
        let mut listeners: BTreeMap<String, TcpListener> = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for (name, entry_point) in &install.entry_points {
            let address = entry_point.address.trim_end_matches("/tcp");
            let open = match entry_point.reuse_port {
                true => &process.listen_beside,
                false => &process.listen,
            };
            let listener =
                open(address).map_err(|error| Failure::new(boot::explain(address, &error)))?;
            if let Ok(address) = listener.local_addr() {
                addresses.insert(name.clone(), address);
            }
            listeners.insert(name.clone(), listener);
        }
        let log = install.access_log.as_ref();
        let access_log_output = log.and_then(|log| log.file_path.as_deref()).map_or_else(
            || Ok(Arc::clone(&process.out)),
            |file| log_file("accessLog.filePath", file, process),
        )?;
        let gateway = Arc::new(Gateway::new(Options {
            entry_points: install.entry_points.clone(),
            access_log_output,
            access_log: install.access_log.clone(),
            ping: install.ping.clone(),
            certificates_resolvers: acme_json::resolvers(&install.certificates_resolvers)?,
            servers_transport: servers_transport(install)?,
            metrics: install.metrics.clone(),
            api: install.api.clone(),
            tracing: install.tracing.clone().map(|options| Tracing {
                options,
                context: Arc::new(boot::TraceHeaders),
            }),
            providers: providers(install),
            clock: Arc::clone(&process.clock),
            random: Arc::clone(&process.random),
            resolve: Arc::clone(&process.resolve),
            memory: process.memory,
            hostname: process.hostname.to_string(),
        }));
        Ok(Bound {
            gateway,
            listeners,
            addresses,
            shutdown: process.shutdown.child_token(),
            threads: Threads::start()
                .map_err(|error| Failure::new(format!("threads cannot be started: {error}")))?,
        })
    }

    /// Serves a configuration from the next request on. What is wrong with it is logged.
    pub(super) fn apply(&self, config: &RoutingConfig) {
        drop(self.gateway.apply(config));
    }

    /// The gateway, for who holds its readiness back.
    pub(super) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Where an entry point listens.
    pub(super) fn address(&self, entry_point: &str) -> Option<SocketAddr> {
        self.addresses.get(entry_point).copied()
    }

    /// Leaves the sockets to another process, and finishes the requests in flight.
    pub(super) async fn hand_over(self) {
        self.gateway.hand_over();
        drop(self.serving.await);
    }

    /// Finishes the requests in flight.
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        // One that panicked has ended, too.
        drop(self.serving.await);
    }
}

/// The default way to servers, with what is in the files that it names.
pub(super) fn servers_transport(install: &InstallConfig) -> Result<ServersTransport, Failure> {
    let mut transport = install.servers_transport.clone();
    let mut read = |path: &str| match fs::read_to_string(path) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(error) => Err(error.to_string()),
    };
    transport.read_files(&mut read).map_err(Failure::new)?;
    Ok(transport)
}

/// The providers that are used, by the names that Traefik's `/api` has for them.
fn providers(install: &InstallConfig) -> Vec<String> {
    let used = &install.providers;
    let names = [
        (used.file.is_some(), "File"),
        (used.kubernetes_crd.is_some(), "KubernetesCRD"),
        (used.kubernetes_ingress.is_some(), "KubernetesIngress"),
    ];
    let used = names.into_iter().filter(|(is_used, _)| *is_used);
    used.map(|(_, name)| name.to_owned()).collect()
}
