//! The routers that nobody writes: to what the gateway itself answers. They are compiled as others
//! are, with the middlewares and the TLS of their entry points.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::diagnostics::Object;
use carnet_config::install::{Api, Metrics, Ping};
use carnet_config::routing::Router;
use carnet_config::rule;

/// The router to `/ping`. Probes shall not need credentials, so it has no middlewares and no TLS.
pub(crate) const PING: &str = "ping@internal";

/// The entry point of what nobody gave another.
const ENTRY_POINT: &str = "traefik";

/// Before all that users can write.
const FIRST: i64 = i64::MAX;

/// The routers that the options ask for, by their names.
pub(crate) fn routers(
    ping: Option<&Ping>,
    metrics: &Metrics,
    api: Option<&Api>,
) -> BTreeMap<String, Object<Router>> {
    let mut routers = BTreeMap::new();
    let mut add = |name: &str, entry_point: &str, rule: &str, priority| {
        let router = Router {
            entry_points: vec![entry_point.to_owned()],
            rule_text: rule.to_owned(),
            rule: rule::parse(rule).ok().map(Arc::new),
            priority: Some(priority),
            service: name.to_owned(),
            ..Router::default()
        };
        routers.insert(name.to_owned(), Object::sound(router));
    };
    if let Some(ping) = ping.filter(|ping| !ping.manual_routing) {
        let rule = "PathPrefix(`/ping`) || Path(`/livez`) || Path(`/readyz`)";
        add(PING, &ping.entry_point, rule, FIRST);
    }
    let prometheus = metrics.prometheus.as_ref();
    if let Some(prometheus) = prometheus.filter(|metrics| !metrics.manual_routing) {
        let rule = "PathPrefix(`/metrics`)";
        add("prometheus@internal", &prometheus.entry_point, rule, FIRST);
    }
    if let Some(api) = api.filter(|api| api.insecure) {
        let base = api.base_path.trim_end_matches('/');
        let rule = format!("PathPrefix(`{base}/api`)");
        add("api@internal", ENTRY_POINT, &rule, FIRST - 1);
        if api.dashboard {
            add(
                "dashboard@internal",
                ENTRY_POINT,
                "PathPrefix(`/`)",
                FIRST - 2,
            );
        }
    }
    routers
}
