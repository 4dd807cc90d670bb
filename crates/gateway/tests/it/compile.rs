//! Golden pairs: a configuration and what is made of it. `just golden` accepts changes.

use carnet_gateway::Gateway;

use crate::stand::{Plan, Written, config, options};

/// The routes and the findings.
fn compiled(yaml: &str) -> String {
    let mut options = options(Plan::default(), &Written::default());
    let entry_point = options.entry_points["web"].clone();
    for name in ["admin", "traefik"] {
        options
            .entry_points
            .insert(name.to_owned(), entry_point.clone());
    }
    let gateway = Gateway::new(options);
    let findings = gateway.apply(&config(yaml));
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    format!(
        "{}\n\n{}",
        gateway.describe().join("\n"),
        findings.join("\n")
    )
}

#[test]
fn sound_routers_rank_by_priority_then_name() {
    insta::assert_snapshot!(compiled(
        "
http:
  routers:
    b: {rule: 'Host(`a`)', service: s}
    a: {rule: 'Host(`b`)', service: s}
    long: {rule: 'Host(`a`) && PathPrefix(`/`)', service: s}
    low: {rule: 'Host(`a`) && PathPrefix(`/very/long`)', service: s, priority: -1}
    admin: {rule: 'PathPrefix(`/`)', service: s, entryPoints: [admin]}
    secure: {rule: 'Host(`a`)', service: s, tls: {}}
  services:
    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
"
    ));
}

#[test]
fn what_is_broken_closes_itself_and_says_why() {
    insta::assert_snapshot!(compiled(
        "
http:
  routers:
    middleware-missing: {rule: 'Host(`a`)', service: s, middlewares: [cresd]}
    service-missing: {rule: 'Host(`b`)', service: t}
    service-closed: {rule: 'Host(`c`)', service: loop}
    entry-point-missing: {rule: 'Host(`d`)', service: s, entryPoints: [wbe, web]}
    rule-broken: {rule: 'Hots(`e`)', service: s}
    transport-missing: {rule: 'Host(`f`)', service: tls}
    sound: {rule: 'PathPrefix(`/`)', service: s}
  middlewares:
    creds: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token'}}}
  services:
    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
    loop: {weighted: {services: [{name: loop}]}}
    tls: {loadBalancer: {servers: [{url: 'https://127.0.0.1:1'}], serversTransport: absent}}
"
    ));
}
