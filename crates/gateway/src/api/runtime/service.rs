//! Services.

use carnet_config::duration;
use carnet_config::routing::Service;
use carnet_config::routing::service::{
    Cookie, LoadBalancer, Mirroring, SameSite, Strategy, WeightedService,
};
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
    match service.map(Service::unguarded) {
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
        Some(Service::Mirroring(options)) => kind("mirroring", "mirroring", mirrors(options)),
        Some(Service::Guarded(_)) | None => {}
    }
    let middlewares = service.map_or(&[][..], Service::middlewares);
    if !middlewares.is_empty() {
        shown.insert("middlewares".to_owned(), json!(middlewares));
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
    let strategy = match options.strategy {
        Strategy::Wrr => "wrr",
        Strategy::P2c => "p2c",
        Strategy::Hrw => "hrw",
        Strategy::LeastTime => "leasttime",
    };
    shown.insert("strategy".to_owned(), json!(strategy));
    if let Some(cookie) = &options.sticky {
        shown.insert("sticky".to_owned(), json!({"cookie": sticky(cookie)}));
    }
    if let Some(check) = &options.passive_health_check {
        let window = duration::text(check.failure_window);
        let attempts = check.max_failed_attempts;
        let check = json!({"failureWindow": window, "maxFailedAttempts": attempts});
        shown.insert("passiveHealthCheck".to_owned(), check);
    }
    if let Some(transport) = &options.servers_transport {
        shown.insert("serversTransport".to_owned(), json!(transport));
    }
    Value::Object(shown)
}

/// As Traefik shows it: what is off is left out.
fn sticky(cookie: &Cookie) -> Value {
    let mut shown = Map::from_iter([("path".to_owned(), json!(cookie.path))]);
    let mut set = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    if let Some(name) = &cookie.name {
        set("name", json!(name));
    }
    if let Some(domain) = &cookie.domain {
        set("domain", json!(domain));
    }
    for (key, is_on) in [("secure", cookie.secure), ("httpOnly", cookie.http_only)] {
        if is_on {
            set(key, json!(true));
        }
    }
    if let Some(same_site) = cookie.same_site {
        let word = match same_site {
            SameSite::None => "none",
            SameSite::Lax => "lax",
            SameSite::Strict => "strict",
        };
        set("sameSite", json!(word));
    }
    if cookie.max_age != 0 {
        set("maxAge", json!(cookie.max_age));
    }
    Value::Object(shown)
}

fn members(services: &[WeightedService]) -> Value {
    let services = services.iter();
    let services = services.map(|child| json!({"name": child.name, "weight": child.weight}));
    json!({"services": services.collect::<Vec<_>>()})
}

fn mirrors(options: &Mirroring) -> Value {
    let mirrors = options.mirrors.iter();
    let mirrors = mirrors.map(|mirror| json!({"name": mirror.name, "percent": mirror.percent}));
    let mirrors: Vec<_> = mirrors.collect();
    let mut shown = json!({"service": options.service, "mirrorBody": options.mirror_body});
    shown["mirrors"] = json!(mirrors);
    if let Some(limit) = options.max_body_size {
        shown["maxBodySize"] = json!(limit);
    }
    shown
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
