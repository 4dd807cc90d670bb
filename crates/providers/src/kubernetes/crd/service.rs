//! An entry of `services[]`, of an IngressRoute's route and of a TraefikService alike.

use carnet_config::diagnostics::Position;
use carnet_config::document::{Fields, Value};
use carnet_config::routing::service::LoadBalancer;

use super::Reference;

/// `services[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEntry {
    /// `name` and `namespace`.
    pub reference: Reference,
    /// `kind` is `TraefikService` rather than `Service`.
    pub is_traefik_service: bool,
    /// `port`.
    pub port: Option<ServicePort>,
    /// Where the port stands, or the name where there is none.
    pub port_position: Position,
    /// Dotted path of the entry: `spec.routes[0].services[0]`.
    pub key: String,
    /// `scheme`.
    pub scheme: Option<String>,
    /// `weight`. Default 1.
    pub weight: u32,
    /// `strategy`, `sticky`, `healthCheck`, `passiveHealthCheck`, `passHostHeader`.
    pub balance: LoadBalancer,
    /// `serversTransport`.
    pub servers_transport: Option<Reference>,
    /// `nativeLB`: the Service's cluster address instead of its endpoints; `None`: as the
    /// provider is configured.
    pub native_lb: Option<bool>,
}

/// `port`: matched against the ports of the Service, never its target ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServicePort {
    /// By number.
    Number(i32),
    /// By name.
    Name(String),
}

impl ServiceEntry {
    pub(in crate::kubernetes) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let is_traefik_service = match fields.text("kind").as_deref() {
            None | Some("Service") => false,
            Some("TraefikService") => true,
            Some(_) => {
                fields.error("kind", "expects `Service` or `TraefikService`");
                false
            }
        };
        let reference = Reference::read(fields);
        let port = port(fields);
        let weight = fields.number("weight").unwrap_or(1);
        let port_node = fields.node("port");
        let entry = reference.map(|reference| Self {
            port_position: port_node
                .map_or(&reference.position, |node| &node.position)
                .clone(),
            key: fields.dotted(""),
            reference,
            is_traefik_service,
            port,
            weight,
            scheme: fields.text("scheme").filter(|scheme| !scheme.is_empty()),
            balance: LoadBalancer::read_balance(fields),
            servers_transport: Reference::plain(fields, "serversTransport"),
            native_lb: fields.boolean("nativeLB"),
        });
        fields.not_yet("IngressRoute.spec.routes.services");
        entry
    }
}

fn port(fields: &mut Fields<'_>) -> Option<ServicePort> {
    match &fields.node("port")?.value {
        Value::Text(name) if name.is_empty() => None,
        Value::Text(name) => Some(ServicePort::Name(name.clone())),
        _ => match fields.number("port")? {
            0 => None,
            number => Some(ServicePort::Number(number)),
        },
    }
}
