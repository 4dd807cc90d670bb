//! Routers.

use carnet_config::routing::Router;
use carnet_config::rule;
use serde_json::{Map, Value, json};

/// A router's options.
pub(super) fn shown(router: Option<&Router>) -> Map<String, Value> {
    let mut shown = Map::new();
    let Some(router) = router else {
        return shown;
    };
    let mut set = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
    if !router.entry_points.is_empty() {
        set("entryPoints", json!(router.entry_points));
    }
    if !router.middlewares.is_empty() {
        set("middlewares", json!(router.middlewares));
    }
    set("service", json!(router.service));
    set("rule", json!(router.rule_text));
    set(
        "priority",
        json!(match router.priority {
            None | Some(0) => rule::priority(&router.rule_text),
            Some(priority) => priority,
        }),
    );
    if let Some(tls) = &router.tls {
        let mut of_tls = Map::new();
        let options = tls.options.as_deref().unwrap_or("default");
        of_tls.insert("options".to_owned(), json!(options));
        if let Some(resolver) = &tls.cert_resolver {
            of_tls.insert("certResolver".to_owned(), json!(resolver));
        }
        if !tls.domains.is_empty() {
            let domain = |names: &Vec<String>| match names.split_first() {
                Some((main, [])) => json!({"main": main}),
                Some((main, sans)) => json!({"main": main, "sans": sans}),
                None => json!({}),
            };
            let domains: Vec<Value> = tls.domains.iter().map(domain).collect();
            of_tls.insert("domains".to_owned(), json!(domains));
        }
        set("tls", Value::Object(of_tls));
    }
    let seen = router.observability;
    let verbosity = match seen.detailed_traces {
        Some(true) => "detailed",
        _ => "minimal",
    };
    set(
        "observability",
        json!({
            "accessLogs": seen.access_logs.unwrap_or(true),
            "tracing": seen.tracing.unwrap_or(true),
            "metrics": seen.metrics.unwrap_or(true),
            "traceVerbosity": verbosity,
        }),
    );
    if !router.entry_points.is_empty() {
        set("using", json!(router.entry_points));
    }
    shown
}
