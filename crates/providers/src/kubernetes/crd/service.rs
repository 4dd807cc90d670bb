//! An entry of `services[]`, of an IngressRoute's route and of a TraefikService alike.

use carnet_config::diagnostics::Severity;
use carnet_config::document::{Fields, Value};

use super::Reference;

/// `services[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// `name` and `namespace`.
    pub reference: Reference,
    /// `kind` is `TraefikService` rather than `Service`.
    pub is_traefik_service: bool,
    /// `port`.
    pub port: Option<ServicePort>,
    /// `scheme`.
    pub scheme: Option<String>,
    /// `weight`. Default 1.
    pub weight: u32,
    /// `passHostHeader`. Default true.
    pub pass_host_header: bool,
    /// `serversTransport`.
    pub servers_transport: Option<Reference>,
    /// `nativeLB`: the Service's cluster address instead of its endpoints. Default false.
    pub native_lb: bool,
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
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
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
        let entry = reference.map(|reference| Self {
            reference,
            is_traefik_service,
            port,
            weight,
            scheme: fields.text("scheme").filter(|scheme| !scheme.is_empty()),
            pass_host_header: fields.boolean("passHostHeader").unwrap_or(true),
            servers_transport: Reference::plain(fields, "serversTransport"),
            native_lb: fields.boolean("nativeLB").unwrap_or(false),
        });
        strategy(fields);
        fields.unserved(Severity::Error, UNSERVED, "; remove it");
        fields.unserved(
            Severity::Warning,
            &["responseForwarding"],
            "; it has no effect",
        );
        entry
    }
}

/// Options that decide which server answers, or who may ask: not to be ignored.
const UNSERVED: &[&str] = &[
    "healthCheck",
    "middlewares",
    "nodePortLB",
    "passiveHealthCheck",
    "sticky",
];

fn strategy(fields: &mut Fields<'_>) {
    match fields.text("strategy").as_deref() {
        None | Some("" | "wrr" | "RoundRobin") => {}
        Some("p2c" | "hrw" | "leasttime") => {
            fields.error("strategy", "only `wrr` is served yet");
        }
        Some(_) => fields.error("strategy", "expects `wrr`"),
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
