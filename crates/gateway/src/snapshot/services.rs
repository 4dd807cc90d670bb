//! Services and the pools that reach their servers.

use std::sync::Arc;

use carnet_config::routing::tls::Certificate;
use carnet_config::routing::{Pem, ServersTransport, Service, service};

use super::compile::Compile;
use crate::middleware::Endpoint;
use crate::service::{Clients, LoadBalancer, Weighted};
use crate::supplies::Supplies;
use crate::upstream::{Client, ClientCertificate, Http2, Tls, Transport};

/// All that pools are made from.
pub(super) type TransportInput = ServersTransport;

/// Name of the transport that nobody declares.
const DEFAULT: &str = "";

/// All that a service is made from.
#[derive(Debug, Clone)]
pub(super) struct ServiceInput {
    options: Service,
    /// Of a load balancer.
    transport: Option<TransportInput>,
    /// Of a weighted service.
    children: Vec<Arc<dyn Endpoint>>,
}

impl PartialEq for ServiceInput {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
            && self.transport == other.transport
            && self.children.len() == other.children.len()
            && self
                .children
                .iter()
                .zip(&other.children)
                .all(|(a, b)| std::ptr::addr_eq(Arc::as_ptr(a), Arc::as_ptr(b)))
    }
}

impl Compile<'_> {
    /// Pools for each transport and for the default one.
    pub(super) fn transports(&mut self) {
        let make = |input: &TransportInput, supplies: &Supplies| clients(input, supplies);
        let config = self.config;
        let default = ServersTransport::default();
        let declared = config.servers_transports.iter();
        let served = declared.filter_map(|(name, object)| Some((name.as_str(), object.served()?)));
        for (name, options) in served.chain([(DEFAULT, &default)]) {
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
                self.error(format!("serversTransport {name}"), message);
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
            return Err(self.missing("service", name, self.config.services.keys()));
        };
        let Some(options) = object.served() else {
            return Err(format!("service `{name}` has an error"));
        };
        above.push(name.to_owned());
        let input = self.input(options, above);
        above.pop();
        self.place(name, input?)
    }

    fn input(
        &mut self,
        options: &Service,
        above: &mut Vec<String>,
    ) -> Result<ServiceInput, String> {
        let mut input = ServiceInput {
            options: options.clone(),
            transport: None,
            children: Vec::new(),
        };
        match options {
            Service::LoadBalancer(balancer) => {
                let wanted = balancer.servers_transport.as_deref().unwrap_or(DEFAULT);
                input.transport = Some(self.transport(wanted)?);
            }
            Service::Weighted(weighted) => {
                for child in &weighted.services {
                    input.children.push(self.service(&child.name, above)?);
                }
            }
        }
        Ok(input)
    }

    fn transport(&self, name: &str) -> Result<TransportInput, String> {
        if name == DEFAULT {
            return Ok(ServersTransport::default());
        }
        let declared = &self.config.servers_transports;
        match declared.get(name) {
            Some(object) => object
                .served()
                .cloned()
                .ok_or_else(|| format!("serversTransport `{name}` has an error")),
            None => Err(self.missing("serversTransport", name, declared.keys())),
        }
    }

    fn place(&mut self, name: &str, input: ServiceInput) -> Result<Arc<dyn Endpoint>, String> {
        let transports = &self.snapshot.transports;
        let made = self
            .snapshot
            .services
            .place(name, input, &self.previous.services, |input| {
                let endpoint: Arc<dyn Endpoint> = match &input.options {
                    Service::LoadBalancer(options) => {
                        let transport = options.servers_transport.as_deref().unwrap_or(DEFAULT);
                        let clients = transports.find(transport);
                        let clients = clients.ok_or("its serversTransport is missing")?;
                        Arc::new(balancer(name, options, clients.as_ref()?)?)
                    }
                    Service::Weighted(options) => Arc::new(weighted(options, &input.children)),
                };
                Ok(endpoint)
            });
        made.clone()
    }
}

fn balancer(
    name: &str,
    options: &service::LoadBalancer,
    clients: &Clients,
) -> Result<LoadBalancer, String> {
    LoadBalancer::new(Arc::from(name), options, clients)
}

fn weighted(options: &service::Weighted, children: &[Arc<dyn Endpoint>]) -> Weighted {
    let weights = options.services.iter().map(|child| child.weight);
    Weighted::new(children.iter().cloned().zip(weights).collect())
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
            root_cas: texts(&options.root_cas),
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
