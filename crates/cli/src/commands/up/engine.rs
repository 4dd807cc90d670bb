//! What `up` and `demo` are made of: manifests in; containers, names and a gateway out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::diagnostics::Diagnostic;
use carnet_config::install::InstallConfig;
use carnet_config::merge::merge;
use carnet_gateway::ProviderFigures;
use carnet_providers::kubernetes::manifests::Identity;
use carnet_providers::kubernetes::workloads::{self, Workload, workloads};
use carnet_providers::kubernetes::{self, ObjectName, Objects};
use tokio::sync::mpsc;

use super::applied::{Applied, Changes, Verb};
use super::endpoint::Endpoint;
use super::network::{Network, Ports, ServicePort};
use super::pods::{self, Pods};
use super::revocations;
use super::sources::Manifest;
use crate::commands::data_plane::DataPlane;
use crate::output::{self, Failure};
use crate::process::Process;

/// How long a container may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long routes wait for new containers, which rarely take a tenth of it.
const MOMENT: Duration = Duration::from_millis(500);

/// What happens while it runs.
#[derive(Debug)]
pub(super) enum Event {
    /// A container began to listen.
    Listening,
    /// A port that must be its own is somebody else's.
    PortTaken(u16),
}

/// What is run, besides manifests.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The gateway.
    pub(crate) install: InstallConfig,
    /// The ports of containers and entry points.
    pub(crate) ports: Ports,
    /// Services that run elsewhere.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Whether it says nothing about objects and addresses.
    pub(crate) quiet: bool,
}

/// A running set of manifests.
pub(crate) struct Engine {
    process: Process,
    endpoints: Vec<Endpoint>,
    quiet: bool,
    network: Arc<Network>,
    events: mpsc::UnboundedReceiver<Event>,
    data_plane: DataPlane,
    pods: Pods,
    applied: Applied,
    objects: Objects,
    workloads: Vec<Workload>,
    services: BTreeMap<ServicePort, SocketAddr>,
    told: BTreeSet<String>,
}

impl Engine {
    /// Binds the entry points and starts the gateway, with nothing to serve yet.
    pub(crate) async fn start(settings: Settings, process: &Process) -> Result<Self, Failure> {
        let (sender, events) = mpsc::unbounded_channel();
        let network = Network::new(settings.ports, sender);
        let process = Process {
            resolve: network.resolve(),
            listen: settings.ports.of_entry_points(&process.listen),
            listen_beside: settings.ports.of_entry_points(&process.listen_beside),
            ..process.clone()
        };
        let data_plane = DataPlane::start(&settings.install, &process)?;
        Ok(Self {
            process,
            endpoints: settings.endpoints,
            quiet: settings.quiet,
            network,
            events,
            data_plane,
            pods: Pods::default(),
            applied: Applied::default(),
            objects: Objects::default(),
            workloads: Vec::new(),
            services: BTreeMap::new(),
            told: BTreeSet::new(),
        })
    }

    /// Runs exactly these manifests from now on, and says what became of each object. What they
    /// change is live when this returns, save containers, which may still start.
    pub(crate) async fn apply(&mut self, manifests: &[Manifest]) {
        let Changes {
            objects: changed,
            all,
            news,
            mut standing,
        } = self.applied.apply(manifests);
        let mut objects = Objects::default();
        let mut useless = BTreeSet::new();
        for object in &all {
            match objects.insert(object) {
                Ok(true) => {}
                Ok(false) => {
                    useless.insert(object.identity.clone());
                    standing.extend(kubernetes::unserved(object));
                }
                Err(problem) => standing.push(problem),
            }
        }
        self.objects = objects;
        self.workloads = workloads(&self.objects);
        let waiting = self.workloads.iter();
        standing.extend(waiting.flat_map(|one| one.diagnostics.clone()));
        let started = self
            .pods
            .reconcile(&self.workloads, &self.network, &self.process)
            .await;
        self.tell(&news, &standing);
        self.wait_for(&started).await;
        self.refresh();
        for (identity, verb) in changed {
            self.report(&identity, verb, &useless);
        }
    }

    /// Gives new containers a moment to listen, so that routes to them do not begin with 503 and a
    /// warning. One that takes longer is served once it listens.
    async fn wait_for(&self, started: &BTreeSet<Identity>) {
        let services = self.objects.services.iter();
        let ports = services
            .flat_map(|(name, service)| workloads::port_targets(name, service, &self.workloads));
        let wanted: BTreeSet<_> = ports
            .flat_map(|port| port.targets)
            .filter(|at| started.contains(&at.workload))
            .collect();
        drop(tokio::time::timeout(MOMENT, self.network.listening(&wanted)).await);
    }

    /// Waits until a port of a Service leads somewhere.
    pub(crate) async fn service(
        &mut self,
        namespace: &str,
        name: &str,
        port: u16,
    ) -> Result<SocketAddr, Failure> {
        let wanted = ServicePort {
            service: ObjectName::new(namespace, name),
            port,
        };
        let waiting = async {
            loop {
                if let Some(address) = self.services.get(&wanted) {
                    return Ok(*address);
                }
                self.turn().await?;
            }
        };
        let late = || Failure::new(format!("Service {namespace}/{name} does not answer"));
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    /// Waits for the next event, and lives up to it.
    pub(super) async fn turn(&mut self) -> Result<(), Failure> {
        match self.events.recv().await {
            Some(Event::PortTaken(port)) => Err(Failure::new(format!(
                "port {port} is taken, and a client would be created in the server that has it; \
                 stop that server, or add --free-ports"
            ))),
            Some(Event::Listening) | None => {
                self.refresh();
                Ok(())
            }
        }
    }

    /// Stays until the process shall end.
    pub(crate) async fn stay(&mut self) -> Result<(), Failure> {
        let shutdown = self.process.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                turned = self.turn() => turned?,
            }
        }
    }

    /// Where an entry point listens.
    pub(crate) fn entry_point(&self, name: &str) -> Result<SocketAddr, Failure> {
        self.data_plane
            .address(name)
            .ok_or_else(|| Failure::new(format!("there is no entry point {name}")))
    }

    /// Stops the gateway, then the containers.
    pub(crate) async fn stop(self) {
        self.data_plane.stop().await;
        self.pods.stop().await;
    }

    /// Makes routes and names of what objects say and where containers listen.
    fn refresh(&mut self) {
        let sockets = self.network.sockets();
        let mut objects = self.objects.clone();
        let mut services = BTreeMap::new();
        for (name, service) in &self.objects.services {
            let slices = workloads::endpoint_slices(name, service, &self.workloads, &sockets);
            objects.endpoint_slices.extend(slices);
            for port in workloads::port_targets(name, service, &self.workloads) {
                let at = ServicePort {
                    service: name.clone(),
                    port: port.port,
                };
                let elsewhere = self.endpoints.iter().find(|one| one.service == at);
                if let Some(Endpoint { address, .. }) = elsewhere {
                    objects
                        .endpoint_slices
                        .extend([workloads::endpoint_slice(name, &port, "endpoint", *address)]);
                    services.insert(at, *address);
                } else if let Some(address) = port.targets.iter().find_map(|at| sockets.get(at)) {
                    services.insert(at, *address);
                }
            }
        }
        self.network.publish(services.clone());
        let options = kubernetes::Options {
            allow_loopback_endpoints: true,
            ..kubernetes::Options::default()
        };
        let mut config = kubernetes::translate_all(&objects, &options);
        for (_, config) in &mut config {
            revocations::follow(config, &self.admins(&services));
        }
        let merged = merge(config);
        self.data_plane.apply(&merged);
        self.show(services);
    }

    /// Services with the admin port of an authorization server that runs here.
    fn admins(&self, services: &BTreeMap<ServicePort, SocketAddr>) -> BTreeSet<ObjectName> {
        let admins = services.keys().filter(|at| {
            at.port == revocations::ADMIN_PORT
                && !self.endpoints.iter().any(|one| one.service == **at)
        });
        admins.map(|at| at.service.clone()).collect()
    }

    /// What was counted about each server that gives tokens.
    pub(crate) fn token_figures(&self) -> Vec<ProviderFigures> {
        self.data_plane.gateway().token_figures()
    }

    /// Says where Services are, when that changed.
    fn show(&mut self, services: BTreeMap<ServicePort, SocketAddr>) {
        if services == self.services {
            return;
        }
        if !self.quiet {
            for (ServicePort { service, port }, address) in &services {
                if self.services.get(&ServicePort {
                    service: service.clone(),
                    port: *port,
                }) != Some(address)
                {
                    output::say(&self.process, &format!("{service} {port} -> {address}"));
                }
            }
        }
        self.services = services;
    }

    /// Says what is wrong: what stands is said once, and again when it comes back.
    fn tell(&mut self, news: &[Diagnostic], standing: &[Diagnostic]) {
        let standing: BTreeSet<String> = standing.iter().map(ToString::to_string).collect();
        let news = news.iter().map(ToString::to_string);
        for sentence in news.chain(standing.difference(&self.told).cloned()) {
            output::say(&self.process, &sentence);
        }
        self.told = standing;
    }

    /// kubectl's line for an object, and what else its user should know of it.
    fn report(&self, identity: &Identity, verb: Verb, useless: &BTreeSet<Identity>) {
        if self.quiet {
            return;
        }
        let name = identity.kubectl();
        if useless.contains(identity) {
            let kind = &identity.kind;
            let line = format!("{name} skipped: nothing here has a use for a {kind}\n");
            return output::print(&self.process, &line);
        }
        output::print(&self.process, &format!("{name} {}\n", verb.word()));
        let workload = self.workloads.iter().find(|one| one.identity == *identity);
        let Some(workload) = workload else {
            return;
        };
        if let Some(image) = pods::foreign_image(workload) {
            output::say(
                &self.process,
                &format!(
                    "{identity}: carnet does not carry the image {image}; say where its Services \
                     are with --endpoint NAMESPACE/SERVICE:PORT=HOST:PORT"
                ),
            );
        } else if workload.replicas != 1 {
            let replicas = workload.replicas;
            output::say(
                &self.process,
                &format!("{identity}: runs once, not {replicas} times"),
            );
        }
    }
}
