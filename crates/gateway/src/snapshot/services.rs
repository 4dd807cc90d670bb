//! Services and the pools that reach their servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::Shared;
use carnet_config::routing::tls::Certificate;
use carnet_config::routing::{Pem, ServersTransport, Service, service};

use super::compile::{Compile, Surroundings};
use crate::middleware::{Endpoint, Guarded, Middleware};
use crate::service::{Clients, Failover, LoadBalancer, Member, Mirroring, Weighted};
use crate::supplies::Supplies;
use crate::upstream::{Client, ClientCertificate, Http2, Tls, Transport};

/// All that pools are made from.
pub(super) type TransportInput = ServersTransport;

/// Name of the transport that nobody declares.
const DEFAULT: &str = "";

/// All that a service is made from.
#[derive(Debug)]
pub(super) struct ServiceInput {
    options: Service,
    /// Of a load balancer.
    members: Vec<Arc<Member>>,
    /// Of a service made of services.
    children: Vec<Arc<dyn Endpoint>>,
    /// What stands before it.
    guards: Vec<Arc<dyn Middleware>>,
}

impl PartialEq for ServiceInput {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
            && are_same(&self.members, &other.members)
            && are_same(&self.children, &other.children)
            && are_same(&self.guards, &other.guards)
    }
}

/// Whether these are the very objects of others.
pub(super) fn are_same<T: ?Sized>(own: &[Arc<T>], others: &[Arc<T>]) -> bool {
    let is_same = |(a, b): (&Arc<T>, &Arc<T>)| std::ptr::addr_eq(Arc::as_ptr(a), Arc::as_ptr(b));
    own.len() == others.len() && own.iter().zip(others).all(is_same)
}

/// All that a server of a load balancer is made from: its siblings may come and go.
#[derive(Debug)]
pub(super) struct MemberInput {
    server: service::Server,
    /// Its siblings in them mean nothing to it.
    options: Shared<service::LoadBalancer>,
    clients: Clients,
}

impl PartialEq for MemberInput {
    fn eq(&self, other: &Self) -> bool {
        self.server == other.server
            && are_alike(&self.options, &other.options)
            && self.clients.are(&other.clients)
    }
}

/// Whether balancers differ in nothing but their servers.
fn are_alike(own: &Shared<service::LoadBalancer>, others: &Shared<service::LoadBalancer>) -> bool {
    let service::LoadBalancer {
        servers: _,
        strategy,
        sticky,
        health_check,
        passive_health_check,
        pass_host_header,
        servers_transport,
    } = &**own;
    own.is(others)
        || (*strategy == others.strategy
            && *sticky == others.sticky
            && *health_check == others.health_check
            && *passive_health_check == others.passive_health_check
            && *pass_host_header == others.pass_host_header
            && *servers_transport == others.servers_transport)
}

impl Compile<'_> {
    /// Pools for each transport and for the default one.
    pub(super) fn transports(&mut self) {
        let make = |input: &TransportInput, supplies: &Supplies| clients(input, supplies);
        let config = self.config;
        let declared = config.servers_transports.iter();
        let served = declared.filter_map(|(name, object)| Some((name.as_str(), object.served()?)));
        for (name, options) in served.chain([(DEFAULT, self.around.servers_transport)]) {
            let previous = &self.previous.transports;
            let supplies = self.around.supplies;
            let made = self
                .snapshot
                .transports
                .place(name, options.clone(), previous, |input| {
                    make(input, supplies)
                });
            if let Err(reason) = made {
                let message = format!("{reason}; services that use it answer 503");
                let object = format!("serversTransport {name}");
                self.error(object.trim_end().to_owned(), message);
            }
        }
    }

    /// Every service; one that cannot be made is on the shelf with the reason.
    pub(super) fn services(&mut self) {
        let config = self.config;
        for name in config.services.keys() {
            if let Err(reason) = self.service(name, &mut Vec::new()) {
                let is_read = config.services[name].served().is_some();
                if is_read {
                    self.error(format!("service {name}"), reason);
                }
            }
        }
    }

    /// Makes a service after those it needs. `above` are the services that are waiting for it.
    pub(super) fn service(
        &mut self,
        name: &str,
        above: &mut Vec<String>,
    ) -> Result<Arc<dyn Endpoint>, String> {
        if let Some(internal) = self.around.internal.get(name) {
            return Ok(Arc::clone(internal));
        }
        if let Some(made) = self.snapshot.services.find(name) {
            return made.clone();
        }
        if above.iter().any(|waiting| waiting == name) {
            return Err(format!("service `{name}` leads back to itself"));
        }
        let Some(object) = self.config.services.get(name) else {
            // Who asks is nobody's mistake for what he asks for.
            let others = self.config.services.keys();
            let others = others.filter(|other| !above.contains(other));
            return Err(self.missing("service", name, others));
        };
        let Some(options) = object.served() else {
            return Err(format!("service `{name}` has an error"));
        };
        above.push(name.to_owned());
        let input = self.input(name, options, above);
        above.pop();
        self.place(name, input?)
    }

    fn input(
        &mut self,
        name: &str,
        options: &Service,
        above: &mut Vec<String>,
    ) -> Result<ServiceInput, String> {
        let mut children = Vec::new();
        for child in options.clone().children() {
            children.push(self.service(child, above)?);
        }
        let mut guards = Vec::new();
        for middleware in options.middlewares() {
            self.stations(middleware, &mut Vec::new(), &mut guards)?;
        }
        Ok(ServiceInput {
            options: options.clone(),
            members: match options.unguarded() {
                Service::LoadBalancer(balancer) => self.members(name, balancer)?,
                _ => Vec::new(),
            },
            children,
            guards,
        })
    }

    /// The servers of a load balancer. Those that did not change are taken over, with all that is
    /// known of them, also where others came or went.
    fn members(
        &mut self,
        name: &str,
        balancer: &Shared<service::LoadBalancer>,
    ) -> Result<Vec<Arc<Member>>, String> {
        let clients = self.clients(balancer)?;
        let service: Arc<str> = Arc::from(name);
        let mut members = Vec::new();
        let mut seen = BTreeMap::new();
        for server in &balancer.servers {
            let count: &mut usize = seen.entry(&server.name).or_default();
            *count += 1;
            let key = format!("{name} {} {count}", server.name);
            let input = MemberInput {
                server: server.clone(),
                options: balancer.clone(),
                clients: clients.clone(),
            };
            let shelf = &mut self.snapshot.members;
            let member = shelf.place(&key, input, &self.previous.members, |input| {
                let MemberInput {
                    server,
                    options,
                    clients,
                } = input;
                Member::new(Arc::clone(&service), options, server, clients).map(Arc::new)
            });
            members.push(member.clone()?);
        }
        Ok(members)
    }

    /// The pools that a load balancer's transport names.
    fn clients(&self, balancer: &service::LoadBalancer) -> Result<Clients, String> {
        let name = balancer.servers_transport.as_deref().unwrap_or(DEFAULT);
        if let Some(clients) = self.snapshot.transports.find(name) {
            return clients.clone();
        }
        let declared = &self.config.servers_transports;
        match declared.contains_key(name) {
            true => Err(format!("serversTransport `{name}` has an error")),
            false => Err(self.missing("serversTransport", name, declared.keys())),
        }
    }

    fn place(&mut self, name: &str, input: ServiceInput) -> Result<Arc<dyn Endpoint>, String> {
        let previous = &self.previous.services;
        let around = self.around;
        let shelf = &mut self.snapshot.services;
        let made = shelf.place(name, input, previous, |input| endpoint(name, input, around));
        made.clone()
    }
}

fn endpoint(
    name: &str,
    input: &ServiceInput,
    around: &Surroundings<'_>,
) -> Result<Arc<dyn Endpoint>, String> {
    let ServiceInput {
        options,
        members,
        children,
        guards,
    } = input;
    let endpoint: Arc<dyn Endpoint> = match (options.unguarded(), children.as_slice()) {
        (Service::LoadBalancer(options), _) => {
            let series = around.metrics.and_then(|metrics| metrics.service(name));
            let (name, members) = ((Arc::from(name), series), members.clone());
            let random = around.supplies.random.as_ref();
            Arc::new(LoadBalancer::new(name, options, members, random)?)
        }
        (Service::Weighted(options), _) => Arc::new(Weighted::by_turns(name, options, children)?),
        (Service::HighestRandomWeight(options), _) => {
            Arc::new(Weighted::by_address(name, options, children)?)
        }
        (Service::Failover(options), [main, fallback]) => Arc::new(Failover::new(
            options,
            main,
            fallback,
            &around.supplies.room,
        )?),
        (Service::Mirroring(options), [main, mirrors @ ..]) => Arc::new(Mirroring::new(
            options,
            main,
            mirrors,
            &around.supplies.room,
        )?),
        (Service::Mirroring(_), _) => return Err("it needs a service".to_owned()),
        (Service::Failover(_) | Service::Guarded(_), _) => {
            return Err("it needs two services".to_owned());
        }
    };
    Ok(match guards.is_empty() {
        true => endpoint,
        false => Arc::new(Guarded::new(guards.clone(), endpoint)),
    })
}

fn texts(pems: &[Pem]) -> Vec<String> {
    let texts = pems.iter().filter_map(Pem::text);
    texts.map(str::to_owned).collect()
}

fn client_certificate(certificate: &Certificate) -> Option<ClientCertificate> {
    Some(ClientCertificate {
        cert: certificate.cert.text()?.to_owned(),
        key: certificate.key.text()?.into(),
    })
}

fn clients(options: &TransportInput, supplies: &Supplies) -> Result<Clients, String> {
    let transport = Transport {
        tls: Tls {
            server_name: options.server_name.clone(),
            insecure_skip_verify: options.insecure_skip_verify,
            peer_uri: options.peer_cert_uri.clone(),
            spoken: options.spoken.clone(),
            root_cas: texts(&options.root_cas),
            adds_system_roots: false,
            client_certificates: options
                .certificates
                .iter()
                .filter_map(client_certificate)
                .collect(),
        },
        dial_timeout: options.dial_timeout,
        response_header_timeout: options.response_header_timeout,
        idle_timeout: options.idle_conn_timeout,
        max_idle_per_host: options.max_idle_conns_per_host,
        http2: match options.disable_http2 {
            true => Http2::Never,
            false => Http2::Negotiated,
        },
        read_idle_timeout: options.read_idle_timeout,
        ping_timeout: options.ping_timeout,
    };
    let http2 = Transport {
        http2: Http2::Only,
        ..transport.clone()
    };
    let made = |transport: &Transport| {
        Client::aware(
            transport,
            Arc::clone(&supplies.resolve),
            supplies.own.clone(),
        )
    };
    Ok(Clients {
        http1: made(&transport)?,
        http2: made(&http2)?,
    })
}
