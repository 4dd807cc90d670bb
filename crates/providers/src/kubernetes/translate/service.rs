//! Entries of `services[]` to services: a Service becomes a load balancer over its endpoints,
//! several become a weighted service.

use carnet_config::Shared;
use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::nearest::suggestion;
use carnet_config::routing::Service;
use carnet_config::routing::service::{LoadBalancer, Weighted, WeightedService};
use k8s_openapi::api::core::v1::{self, ServiceSpec};

use super::reference::{Target, absent};
use super::{Translation, finding};
use crate::kubernetes::crd::{Route, ServiceEntry, ServicePort};
use crate::kubernetes::objects::ObjectName;

/// What stands behind an entry.
pub(super) enum Backend {
    /// A service of this name, made elsewhere.
    Named(String),
    /// A load balancer of its own.
    Own(Object<Service>),
}

/// A finding in the making: key below the entry, message.
pub(super) struct Fault(pub(super) &'static str, pub(super) String);

impl Translation<'_> {
    /// The name of the service at the end of a route, made if need be.
    pub(super) fn router_service(
        &mut self,
        namespace: &str,
        label: &str,
        router: &str,
        route: &Route,
    ) -> String {
        let mut diagnostics = Vec::new();
        let object = match route.services.as_slice() {
            // The route says so itself.
            [] => return String::new(),
            [entry] => match self.backend(namespace, label, entry) {
                Ok(Backend::Named(name)) => return name,
                Ok(Backend::Own(object)) => object,
                Err(finding) => Object {
                    value: None,
                    diagnostics: vec![finding],
                },
            },
            entries => Object {
                value: Some(Service::Weighted(Weighted {
                    services: self.children(namespace, label, entries, &mut diagnostics),
                    sticky: None,
                    health_check: false,
                })),
                diagnostics,
            },
        };
        let name = self
            .names
            .services
            .claim(router, &format!("router {router}"));
        self.config.services.insert(name.clone(), object);
        name
    }

    /// The services of entries with their weights; an entry that leads nowhere is reported.
    pub(super) fn children(
        &mut self,
        namespace: &str,
        label: &str,
        entries: &[ServiceEntry],
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<WeightedService> {
        let mut services = Vec::new();
        for entry in entries {
            let weight = entry.weight;
            match self.child(namespace, label, entry) {
                Ok(name) => services.push(WeightedService { name, weight }),
                Err(finding) => findings.push(finding),
            }
        }
        services
    }

    /// The name of the service behind an entry, made if need be.
    pub(super) fn child(
        &mut self,
        namespace: &str,
        label: &str,
        entry: &ServiceEntry,
    ) -> Result<String, Diagnostic> {
        Ok(match self.backend(namespace, label, entry)? {
            Backend::Named(name) => name,
            Backend::Own(object) => self.own_child(namespace, entry, object),
        })
    }

    /// A load balancer below a weighted service, shared by entries that say the same.
    pub(super) fn own_child(
        &mut self,
        namespace: &str,
        entry: &ServiceEntry,
        object: Object<Service>,
    ) -> String {
        let of = entry.reference.namespace.as_deref().unwrap_or(namespace);
        let port = match &entry.port {
            Some(ServicePort::Number(number)) => number.to_string(),
            Some(ServicePort::Name(name)) => name.clone(),
            None => String::new(),
        };
        let wanted = format!("{of}-{}-{port}", entry.reference.name);
        // All but the servers, which come and go.
        let transport = object.value.as_ref().and_then(|service| match service {
            Service::LoadBalancer(balancer) => balancer.servers_transport.as_deref(),
            _ => None,
        });
        let options = (&entry.balance, &entry.scheme, entry.native_lb, transport);
        let owner = format!("{of}/{}:{:?} {options:?}", entry.reference.name, entry.port);
        let name = self.names.services.claim(&wanted, &owner);
        self.config.services.entry(name.clone()).or_insert(object);
        name
    }

    /// What stands behind an entry, or why nothing does.
    pub(super) fn backend(
        &self,
        namespace: &str,
        label: &str,
        entry: &ServiceEntry,
    ) -> Result<Backend, Diagnostic> {
        let refuse = |message| {
            let reference = &entry.reference;
            let (key, position) = (&reference.key, &reference.position);
            finding(Severity::Error, label, key, position, message)
        };
        if entry.is_traefik_service {
            let known = &self.traefik_services;
            return self
                .named("TraefikService", known, namespace, &entry.reference)
                .map(Backend::Named)
                .map_err(refuse);
        }
        let name = match self.target(namespace, &entry.reference).map_err(refuse)? {
            Target::Qualified(name) => return Ok(Backend::Named(name)),
            Target::Object(name) => name,
        };
        let Some(service) = self.objects.services.get(&name) else {
            return Err(refuse(absent(
                "Service",
                &name,
                self.objects.services.keys(),
            )));
        };
        let mut warnings = Vec::new();
        let balancer = self.load_balancer(namespace, entry, &name, service, &mut warnings);
        let report = |severity, Fault(key, message)| {
            let path = format!("{}.{key}", entry.key);
            let position = match key {
                "port" => &entry.port_position,
                _ => &entry.reference.position,
            };
            finding(severity, label, &path, position, message)
        };
        let balancer = balancer.map_err(|fault| report(Severity::Error, fault))?;
        let warnings = warnings.into_iter();
        Ok(Backend::Own(Object {
            value: Some(Service::LoadBalancer(Shared::new(balancer))),
            diagnostics: warnings
                .map(|fault| report(Severity::Warning, fault))
                .collect(),
        }))
    }

    fn load_balancer(
        &self,
        namespace: &str,
        entry: &ServiceEntry,
        name: &ObjectName,
        service: &v1::Service,
        warnings: &mut Vec<Fault>,
    ) -> Result<LoadBalancer, Fault> {
        let servers_transport = match &entry.servers_transport {
            None => None,
            Some(reference) => {
                let known = &self.servers_transports;
                let transport = self.named("ServersTransport", known, namespace, reference);
                Some(transport.map_err(|message| Fault("serversTransport", message))?)
            }
        };
        let nothing = ServiceSpec::default();
        let spec = service.spec.as_ref().unwrap_or(&nothing);
        let is_external = spec.type_.as_deref() == Some("ExternalName");
        if entry.balance.health_check.is_some() && !is_external {
            let message = "is for Services of type ExternalName; Kubernetes checks the others";
            return Err(Fault("healthCheck", message.to_owned()));
        }
        Ok(LoadBalancer {
            servers: self.servers(entry, name, spec, warnings)?,
            servers_transport,
            ..entry.balance.clone()
        })
    }
}

/// The port of the Service that an entry means.
pub(super) fn service_port<'a>(
    entry: &ServiceEntry,
    name: &ObjectName,
    spec: &'a ServiceSpec,
) -> Result<&'a v1::ServicePort, Fault> {
    let ports = spec.ports.as_deref().unwrap_or_default();
    let Some(wanted) = &entry.port else {
        return Err(Fault("port", format!("name a port of Service {name}")));
    };
    let is_wanted = |port: &&v1::ServicePort| match wanted {
        ServicePort::Number(number) => port.port == *number,
        ServicePort::Name(name) => port.name.as_deref() == Some(name),
    };
    ports.iter().find(is_wanted).ok_or_else(|| {
        let known: Vec<String> = ports.iter().map(shown).collect();
        let message = match wanted {
            ServicePort::Number(number) => {
                let known = known.join(", ");
                format!("Service {name} has no port {number}; it has: {known}")
            }
            ServicePort::Name(text) => {
                let names = ports.iter().filter_map(|port| port.name.as_deref());
                let near = suggestion(text, names);
                format!("Service {name} has no port called `{text}`{near}")
            }
        };
        Fault("port", message)
    })
}

fn shown(port: &v1::ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{} ({name})", port.port),
        None => port.port.to_string(),
    }
}
