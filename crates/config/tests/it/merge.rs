//! Several providers as one.

use carnet_config::document::parse_yaml;
use carnet_config::merge::merge;
use carnet_config::routing::{RoutingConfig, Service, read};

fn config(text: &str) -> RoutingConfig {
    read(&parse_yaml(text, "a.yaml").unwrap().remove(0)).unwrap()
}

fn merged(providers: &[(&str, &str)]) -> RoutingConfig {
    let read = |(provider, text): &(&str, &str)| ((*provider).to_owned(), config(text));
    merge(providers.iter().map(read).collect())
}

const FILE: &str = "
http:
  routers:
    a: {rule: Host(`a`), service: s, middlewares: [m, n@kubernetescrd], tls: {options: o}}
    b: {rule: Host(`b`), service: api@internal, tls: {options: default}}
  services:
    s: {loadBalancer: {servers: [], serversTransport: t}}
    w: {weighted: {services: [{name: s}, {name: x@kubernetescrd}]}}
    g: {failover: {service: s, fallback: w@kubernetescrd}, middlewares: [m, n@kubernetescrd]}
  middlewares:
    m: {oAuthClientCredentials: {url: https://as.test/token}}
  serversTransports:
    t: {}
tcp: {}
";

#[test]
fn names_and_references_carry_their_provider() {
    let config = merged(&[("file", FILE)]);
    let names: Vec<_> = config.routers.keys().collect();
    assert_eq!(names, ["a@file", "b@file"]);
    let a = config.routers["a@file"].value.as_ref().unwrap();
    assert_eq!(a.middlewares, ["m@file", "n@kubernetescrd"]);
    assert_eq!(a.service, "s@file");
    assert_eq!(a.tls.as_ref().unwrap().options.as_deref(), Some("o@file"));
    let b = config.routers["b@file"].value.as_ref().unwrap();
    assert_eq!(b.service, "api@internal");
    assert_eq!(b.tls.as_ref().unwrap().options.as_deref(), Some("default"));
    let Some(Service::LoadBalancer(s)) = &config.services["s@file"].value else {
        panic!()
    };
    assert_eq!(s.servers_transport.as_deref(), Some("t@file"));
    let Some(Service::Weighted(w)) = &config.services["w@file"].value else {
        panic!()
    };
    let children: Vec<_> = w.services.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(children, ["s@file", "x@kubernetescrd"]);
    let mut guarded = config.services["g@file"].value.clone().unwrap();
    assert_eq!(guarded.middlewares(), ["m@file", "n@kubernetescrd"]);
    assert_eq!(guarded.children(), ["s@file", "w@kubernetescrd"]);
    assert!(config.middlewares.contains_key("m@file"));
    assert!(config.servers_transports.contains_key("t@file"));
    assert_eq!(config.diagnostics.len(), 1);
}

#[test]
fn one_name_in_two_providers_is_two_objects() {
    let config = merged(&[("file", FILE), ("kubernetescrd", FILE)]);
    assert_eq!(config.routers.len(), 4);
    let a = config.routers["a@kubernetescrd"].value.as_ref().unwrap();
    assert_eq!(a.middlewares, ["m@kubernetescrd", "n@kubernetescrd"]);
}

#[test]
fn of_two_objects_of_one_name_the_first_stays() {
    let other = "http: {routers: {a: {rule: Host(`z`), service: z}}}";
    let config = merged(&[("file", FILE), ("file", other)]);
    assert_eq!(
        config.routers["a@file"].value.as_ref().unwrap().rule_text,
        "Host(`a`)"
    );
    let told: Vec<_> = config.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        told[1],
        "warning: router a@file: is given twice; the first stays"
    );
}

// Holds SS-01.
#[test]
fn plain_http_is_warned_of_once_for_each_url() {
    let text = "
http:
  middlewares:
    a: {oAuthClientCredentials: {url: http://as.test/token}}
    b: {oAuthClientCredentials: {url: http://as.test/token}}
    c: {oAuthClientCredentials: {URL: http://other.test/token}}
";
    let config = merged(&[("file", text)]);
    let warned = |name: &str| config.middlewares[name].diagnostics.len();
    assert_eq!(["a@file", "b@file", "c@file"].map(warned), [1, 0, 1]);
}
