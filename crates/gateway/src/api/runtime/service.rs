//! Services.

use carnet_config::routing::Service;
use carnet_config::routing::service::{LoadBalancer, WeightedService};
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
    match service {
        Some(Service::LoadBalancer(options)) => {
            kind("loadBalancer", "loadbalancer", balancer(options));
        }
        Some(Service::Weighted(options)) => {
            kind("weighted", "weighted", members(&options.services));
        }
        Some(Service::HighestRandomWeight(options)) => {
            let value = members(&options.services);
            kind("highestRandomWeight", "highestrandomweight", value);
        }
        Some(Service::Failover(options)) => {
            let value = json!({"service": options.service, "fallback": options.fallback});
            kind("failover", "failover", value);
        }
        None => {}
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

fn members(services: &[WeightedService]) -> Value {
    let services = services.iter();
    let services = services.map(|child| json!({"name": child.name, "weight": child.weight}));
    json!({"services": services.collect::<Vec<_>>()})
}

/// Writes which servers are up. One that nobody checks is, as in Traefik.
pub(super) fn servers(shown: &mut Map<String, Value>, servers: &[ServerStatus]) {
    if servers.is_empty() {
        return;
    }
    let state = |server: &ServerStatus| match server.is_up {
        true => "UP",
        false => "DOWN",
    };
    let states = servers.iter();
    let states = states.map(|server| (server.url.clone(), json!(state(server))));
    shown.insert("serverStatus".to_owned(), Value::Object(states.collect()));
}
