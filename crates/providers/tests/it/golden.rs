//! Golden pairs: `<case>.yaml` holds manifests, `<case>.expected` what they translate to.
//! A first line `# options: ...` turns options on; `# provider: ingress` takes what is said of
//! Ingresses. `GOLDEN=accept cargo test` writes what comes out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use carnet_config::diagnostics::Object;
use carnet_config::routing::service::{LoadBalancer, Strategy, WeightedService};
use carnet_config::routing::{Middleware, Router, RoutingConfig, Service};
use carnet_providers::kubernetes::{IngressOptions, Options, translate, translate_ingresses};

use crate::objects;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).unwrap();
    let mut cases: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn options(text: &str) -> Options {
    let line = text.lines().next().unwrap_or_default();
    let on = |name: &str| line.contains("options:") && line.contains(name);
    Options {
        allow_cross_namespace: on("allowCrossNamespace"),
        allow_external_name_services: on("allowExternalNameServices"),
        allow_loopback_endpoints: on("allowLoopbackEndpoints"),
        ingress_class: on("ingressClass").then(|| "edge".to_owned()),
        native_lb_by_default: on("nativeLBByDefault"),
    }
}

fn translated(text: &str) -> RoutingConfig {
    let (objects, shared) = (objects(text), options(text));
    let line = text.lines().next().unwrap_or_default();
    if !line.starts_with("# provider: ingress") {
        return translate(&objects, &shared);
    }
    let options = IngressOptions {
        shared,
        strict_prefix_matching: line.contains("strictPrefixMatching"),
    };
    translate_ingresses(&objects, &options)
}

#[expect(clippy::disallowed_methods, reason = "who runs the tests decides")]
fn is_accepting() -> bool {
    std::env::var("GOLDEN").as_deref() == Ok("accept")
}

// Holds SE-05: wherever a case puts the word CANARY, nothing that is said repeats it.
// Holds K8-01: the cases `namespaces`, `namespaces_open` and `ingress_namespaces`.
// Holds K8-02: the case `ingress_rules`.
// Holds SS-04: the cases `endpoints` and `external_names`.
// Holds HI-22: the cases `broken_references`, `secret_references` and `failures`.
#[test]
fn manifests_translate_as_expected() {
    let (mut wrong, mut translated_objects) = (Vec::new(), 0);
    for case in cases() {
        let text = fs::read_to_string(&case).unwrap();
        let objects = objects(&text);
        translated_objects += objects.ingress_routes.len() + objects.ingresses.len();
        translated_objects += objects.middlewares.len() + objects.traefik_services.len();
        let found = shown(&translated(&text));
        assert!(!found.contains("CANARY"), "{}:\n{found}", case.display());
        let expected = case.with_extension("expected");
        if is_accepting() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&found) {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(translated_objects > 200, "{translated_objects}");
}

fn shown(config: &RoutingConfig) -> String {
    let mut out = String::new();
    for (name, router) in &config.routers {
        object(&mut out, "router", name, router, show_router);
    }
    for (name, service) in &config.services {
        object(&mut out, "service", name, service, show_service);
    }
    for (name, middleware) in &config.middlewares {
        object(&mut out, "middleware", name, middleware, |middleware| {
            let Middleware::OAuthClientCredentials(options) = middleware else {
                return format!("  {middleware:?}\n");
            };
            let mode = options.credentials.as_ref().map_or("A", |_| "B");
            format!("  {} mode {mode}\n", options.url)
        });
    }
    for (name, transport) in &config.servers_transports {
        object(&mut out, "serversTransport", name, transport, |transport| {
            format!("  {transport:?}\n")
        });
    }
    for (name, options) in &config.tls.options {
        object(&mut out, "tls option", name, options, |options| {
            format!("  {options:?}\n")
        });
    }
    for (name, store) in &config.tls.stores {
        object(&mut out, "tls store", name, store, |store| {
            format!("  {store:?}\n")
        });
    }
    for certificate in &config.tls.certificates {
        object(
            &mut out,
            "tls certificate",
            "",
            certificate,
            |certificate| format!("  {certificate:?}\n"),
        );
    }
    out
}

fn object<T>(
    out: &mut String,
    noun: &str,
    name: &str,
    object: &Object<T>,
    show: impl Fn(&T) -> String,
) {
    let state = match object.is_closed() {
        true => "closed",
        false => "served",
    };
    writeln!(out, "{state} {noun} {name}").unwrap();
    if let Some(value) = &object.value {
        out.push_str(&show(value));
    }
    for finding in &object.diagnostics {
        writeln!(out, "  {finding}").unwrap();
    }
}

fn show_router(router: &Router) -> String {
    let mut out = format!("  rule: {}\n", router.rule_text);
    if router.rule.is_none() {
        out.push_str("  does not parse\n");
    }
    for (what, names) in [
        ("entryPoints", &router.entry_points),
        ("middlewares", &router.middlewares),
    ] {
        if !names.is_empty() {
            writeln!(out, "  {what}: {}", names.join(", ")).unwrap();
        }
    }
    if let Some(priority) = router.priority {
        writeln!(out, "  priority: {priority}").unwrap();
    }
    if let Some(tls) = &router.tls {
        writeln!(out, "  {tls:?}").unwrap();
    }
    if router.observability.access_logs == Some(false) {
        out.push_str("  no access log\n");
    }
    writeln!(out, "  service: {}", router.service).unwrap();
    out
}

fn show_service(service: &Service) -> String {
    let mut out = String::new();
    for middleware in service.middlewares() {
        writeln!(out, "  behind: {middleware}").unwrap();
    }
    match service.unguarded() {
        Service::LoadBalancer(balancer) => show_balancer(&mut out, balancer),
        Service::Weighted(weighted) => {
            show_children(&mut out, &weighted.services);
            if let Some(cookie) = &weighted.sticky {
                writeln!(out, "  sticky: {cookie:?}").unwrap();
            }
        }
        Service::HighestRandomWeight(hashed) => {
            out.push_str("  by the client's address\n");
            show_children(&mut out, &hashed.services);
        }
        Service::Failover(failover) => writeln!(out, "  {failover:?}").unwrap(),
        Service::Mirroring(mirroring) => writeln!(out, "  {mirroring:?}").unwrap(),
        Service::Guarded(_) => {}
    }
    out
}

fn show_balancer(out: &mut String, balancer: &LoadBalancer) {
    for server in &balancer.servers {
        let fenced = if server.fenced { " fenced" } else { "" };
        writeln!(out, "  {}{fenced}", server.url).unwrap();
    }
    if !balancer.pass_host_header {
        out.push_str("  host of the server\n");
    }
    if let Some(transport) = &balancer.servers_transport {
        writeln!(out, "  serversTransport: {transport}").unwrap();
    }
    if balancer.strategy != Strategy::Wrr {
        writeln!(out, "  strategy: {:?}", balancer.strategy).unwrap();
    }
    if let Some(cookie) = &balancer.sticky {
        writeln!(out, "  sticky: {cookie:?}").unwrap();
    }
    if let Some(check) = &balancer.health_check {
        writeln!(out, "  healthCheck: {check:?}").unwrap();
    }
    if let Some(check) = &balancer.passive_health_check {
        writeln!(out, "  passiveHealthCheck: {check:?}").unwrap();
    }
}

fn show_children(out: &mut String, services: &[WeightedService]) {
    for child in services {
        writeln!(out, "  {} x {}", child.weight, child.name).unwrap();
    }
}
