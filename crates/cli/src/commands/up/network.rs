//! The small network of `up`: where carried containers listen, and what Service names mean in this
//! process.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carnet_providers::kubernetes::ObjectName;
use carnet_providers::kubernetes::manifests::Identity;
use carnet_providers::kubernetes::workloads::ContainerAddress;
use tokio::sync::{Notify, mpsc};

use super::engine::Event;
use crate::process::{Listen, Resolve};

/// Hydra's ports: on another one than its own, a client would be created in somebody else's server.
const HYDRA_PORTS: [u16; 2] = [4444, 4445];

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServicePort {
    /// The Service.
    pub(super) service: ObjectName,
    /// Its port.
    pub(super) port: u16,
}

/// Which ports on this machine containers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Their own; where one is taken or forbidden a free one, save Hydra's.
    Own,
    /// Their own; where one is taken or forbidden a free one.
    OwnOrFree,
    /// Free ones.
    Free,
}

impl Ports {
    /// Binds a port on loopback.
    pub(super) fn bind(self, port: u16) -> io::Result<TcpListener> {
        let wanted = match self {
            Self::Free => 0,
            Self::Own | Self::OwnOrFree => port,
        };
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)) {
            Err(error) if is_elsewhere(&error) && !self.insists_on(port) => {
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            }
            other => other,
        }?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// How entry points bind: as they are told, and with free ports where these may be.
    pub(super) fn of_entry_points(self, listen: &Listen) -> Listen {
        let listen = Arc::clone(listen);
        Arc::new(move |address| match self {
            Self::Own => listen(address),
            Self::OwnOrFree => listen(address).or_else(|error| match is_elsewhere(&error) {
                true => self.bind(0),
                false => Err(error),
            }),
            Self::Free => self.bind(0),
        })
    }

    fn insists_on(self, port: u16) -> bool {
        self == Self::Own && HYDRA_PORTS.contains(&port)
    }
}

/// Who listens where.
#[derive(Debug)]
pub(super) struct Network {
    ports: Ports,
    events: mpsc::UnboundedSender<Event>,
    state: Mutex<State>,
    bound: Notify,
}

#[derive(Debug, Default)]
struct State {
    sockets: BTreeMap<ContainerAddress, SocketAddr>,
    services: BTreeMap<ServicePort, SocketAddr>,
}

impl Network {
    /// A network without anybody.
    pub(super) fn new(ports: Ports, events: mpsc::UnboundedSender<Event>) -> Arc<Self> {
        Arc::new(Self {
            ports,
            events,
            state: Mutex::default(),
            bound: Notify::new(),
        })
    }

    /// Where carried containers listen.
    pub(super) fn sockets(&self) -> BTreeMap<ContainerAddress, SocketAddr> {
        self.state().sockets.clone()
    }

    /// Waits until somebody listens at each of these.
    pub(super) async fn listening(&self, wanted: &BTreeSet<ContainerAddress>) {
        loop {
            // Whoever binds between the look and the wait is noticed, too.
            let mut bound = pin!(self.bound.notified());
            bound.as_mut().enable();
            let sockets = self.sockets();
            if wanted.iter().all(|at| sockets.contains_key(at)) {
                return;
            }
            bound.await;
        }
    }

    /// Replaces what Service names mean.
    pub(super) fn publish(&self, services: BTreeMap<ServicePort, SocketAddr>) {
        self.state().services = services;
    }

    /// Forgets where a workload listened; it has ended.
    pub(super) fn forget(&self, workload: &Identity) {
        self.state()
            .sockets
            .retain(|at, _| at.workload != *workload);
    }

    /// How a container of a workload binds: at its own port number on loopback, and where that is
    /// taken or forbidden at a free one.
    pub(super) fn listen(self: &Arc<Self>, workload: &Identity) -> Listen {
        let network = Arc::clone(self);
        let workload = workload.clone();
        Arc::new(move |address| {
            let port = port_of(address)?;
            let listener = network.ports.bind(port).inspect_err(|error| {
                if is_elsewhere(error) {
                    network.tell(Event::PortTaken(port));
                }
            })?;
            let at = ContainerAddress {
                workload: workload.clone(),
                port,
            };
            let address = listener.local_addr()?;
            network.state().sockets.insert(at, address);
            network.bound.notify_waiters();
            network.tell(Event::Listening);
            Ok(listener)
        })
    }

    /// How names are resolved in this process: `NAME.NAMESPACE[.svc[.cluster.local]]` to where the
    /// Service is, everything else by the system.
    pub(super) fn resolve(self: &Arc<Self>) -> Resolve {
        let network = Arc::clone(self);
        Arc::new(move |host, port| {
            let at = ServicePort {
                service: service_of(host)?,
                port,
            };
            network.state().services.get(&at).copied()
        })
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when `up` ends; then nobody needs to know.
        drop(self.events.send(event));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_elsewhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    )
}

fn port_of(address: &str) -> io::Result<u16> {
    let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
    port.parse().map_err(|_| {
        let problem = format!("{address} has no port; write it as HOST:PORT or :PORT");
        io::Error::new(io::ErrorKind::InvalidInput, problem)
    })
}

/// The Service that a host name of the cluster means.
fn service_of(host: &str) -> Option<ObjectName> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_suffix(".cluster.local").unwrap_or(&host);
    let host = host.strip_suffix(".svc").unwrap_or(host);
    let (service, namespace) = host.split_once('.')?;
    (!namespace.contains('.')).then(|| ObjectName::new(namespace, service))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn network(ports: Ports) -> (Arc<Network>, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Network::new(ports, sender), receiver)
    }

    fn whoami() -> Identity {
        Identity {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: "apps".to_owned(),
            name: "whoami".to_owned(),
        }
    }

    #[test]
    fn service_names_resolve_in_all_their_spellings_and_others_do_not() {
        let (network, _events) = network(Ports::Own);
        let address: SocketAddr = "127.0.0.1:14444".parse().unwrap();
        network.publish(BTreeMap::from([(
            ServicePort {
                service: ObjectName::new("hydra", "hydra"),
                port: 4444,
            },
            address,
        )]));
        let resolve = network.resolve();
        for host in [
            "hydra.hydra.svc",
            "hydra.hydra",
            "hydra.hydra.svc.cluster.local",
            "Hydra.hydra.svc.cluster.local.",
        ] {
            assert_eq!(resolve(host, 4444), Some(address), "{host}");
        }
        assert_eq!(resolve("hydra.hydra.svc", 4445), None);
        assert_eq!(resolve("hydra", 4444), None);
        assert_eq!(resolve("hydra.docker.localhost", 4444), None);
    }

    #[test]
    fn a_container_whose_port_is_taken_gets_a_free_one() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let (network, _events) = network(Ports::Own);
        let listener = network.listen(&whoami())(&format!(":{port}")).unwrap();
        let at = ContainerAddress {
            workload: whoami(),
            port,
        };
        let address = network.sockets()[&at];
        assert_eq!(address, listener.local_addr().unwrap());
        assert_ne!(address.port(), port);
        network.forget(&whoami());
        assert!(network.sockets().is_empty());
    }

    #[test]
    fn an_address_without_a_port_is_one_sentence() {
        let (network, _events) = network(Ports::Own);
        let error = network.listen(&whoami())("nowhere").unwrap_err();
        assert!(error.to_string().contains("HOST:PORT"), "{error}");
    }
}
