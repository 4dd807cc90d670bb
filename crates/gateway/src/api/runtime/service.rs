//! Services.

use carnet_config::routing::Service;
use carnet_config::routing::service::{LoadBalancer, Weighted};
use serde_json::{Map, Value, json};

use super::plain;
use crate::middleware::ServerStatus;

/// A service's options.
pub(super) fn shown(service: Option<&Service>) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut kind = |key: &str, name: &str, value: Value| {
        shown.insert(key.to_owned(), value);
        shown.insert("type".to_owned(), json!(name));
    };
    if let Some(Service::LoadBalancer(options)) = service {
        kind("loadBalancer", "loadbalancer", balancer(options));
    }
    if let Some(Service::Weighted(options)) = service {
        kind("weighted", "weighted", weighted(options));
    }
    shown
}

fn balancer(options: &LoadBalancer) -> Value {
    let servers = options.servers.iter().map(|server| {
        let mut shown = Map::new();
        shown.insert("url".to_owned(), json!(plain(&server.url)));
        if server.weight != 1 {
            shown.insert("weight".to_owned(), json!(server.weight));
        }
        if server.preserve_path {
            shown.insert("preservePath".to_owned(), json!(true));
        }
        Value::Object(shown)
    });
    let mut shown = Map::new();
    shown.insert("servers".to_owned(), Value::Array(servers.collect()));
    shown.insert("passHostHeader".to_owned(), json!(options.pass_host_header));
    if let Some(transport) = &options.servers_transport {
        shown.insert("serversTransport".to_owned(), json!(transport));
    }
    Value::Object(shown)
}

fn weighted(options: &Weighted) -> Value {
    let services = options.services.iter();
    let services = services.map(|child| json!({"name": child.name, "weight": child.weight}));
    json!({"services": services.collect::<Vec<_>>()})
}

/// Writes which servers are up. One that nobody checks is, as in Traefik.
pub(super) fn servers(shown: &mut Map<String, Value>, servers: &[ServerStatus]) {
    if servers.is_empty() {
        return;
    }
    let state = |is_up: bool| if is_up { "UP" } else { "DOWN" };
    let states = servers.iter();
    let states = states.map(|server| (server.url.clone(), json!(state(server.is_up))));
    shown.insert("serverStatus".to_owned(), Value::Object(states.collect()));
}
