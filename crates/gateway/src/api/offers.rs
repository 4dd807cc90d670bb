//! All that the gateway itself answers, as services by their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::diagnostics::Object;
use carnet_config::install::{Api, Ping};
use carnet_config::routing::Router;
use http::StatusCode;

use super::{About, ApiEndpoint, Dashboard, Noop, PingEndpoint, PrometheusEndpoint, Readiness};
use crate::gateway::Options;
use crate::metrics::Metrics;
use crate::middleware::Endpoint;
use crate::snapshot::SnapshotHandle;
use crate::token_source::Providers;

/// Services, and the routers that lead there without a user's doing.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(crate) services: BTreeMap<String, Arc<dyn Endpoint>>,
    pub(crate) routers: BTreeMap<String, Object<Router>>,
}

/// What they tell of.
#[derive(Debug)]
pub(crate) struct State<'a> {
    pub(crate) readiness: &'a Arc<Readiness>,
    pub(crate) metrics: Option<&'a Arc<Metrics>>,
    pub(crate) snapshots: &'a Arc<SnapshotHandle>,
    pub(crate) providers: &'a Arc<Providers>,
}

impl Offers {
    /// As the options ask for them.
    pub(crate) fn new(options: &Options, state: &State<'_>) -> Self {
        let routers = super::routers(
            options.ping.as_ref(),
            &options.metrics,
            options.api.as_ref(),
        );
        let mut services: BTreeMap<String, Arc<dyn Endpoint>> = BTreeMap::new();
        let mut add = |name: &str, endpoint: Arc<dyn Endpoint>| {
            services.insert(format!("{name}@internal"), endpoint);
        };
        add("noop", Arc::new(Noop));
        if let Some(told) = &options.ping {
            add("ping", Arc::new(ping(told, state)));
        }
        if let Some(metrics) = state.metrics {
            let endpoint = PrometheusEndpoint {
                metrics: Arc::clone(metrics),
                snapshots: Arc::downgrade(state.snapshots),
                providers: Arc::clone(state.providers),
            };
            add("prometheus", Arc::new(endpoint));
        }
        if let Some(told) = &options.api {
            if told.dashboard {
                add("dashboard", Arc::new(Dashboard));
            }
            let mut names: Vec<String> = services.keys().cloned().collect();
            names.push("api@internal".to_owned());
            let endpoint = api(told, options, (names, routers.clone()), state);
            services.insert("api@internal".to_owned(), Arc::new(endpoint));
        }
        Self { services, routers }
    }
}

fn ping(told: &Ping, state: &State<'_>) -> PingEndpoint {
    let terminating = StatusCode::from_u16(told.terminating_status_code);
    PingEndpoint {
        readiness: Arc::clone(state.readiness),
        terminating: terminating.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn api(
    told: &Api,
    options: &Options,
    (services, routers): (Vec<String>, BTreeMap<String, Object<Router>>),
    state: &State<'_>,
) -> ApiEndpoint {
    ApiEndpoint {
        options: told.clone(),
        about: About {
            started: options.clock.now(),
            providers: options.providers.clone(),
            has_metrics: state.metrics.is_some(),
            has_tracing: options.tracing.is_some(),
            has_access_log: options.access_log.is_some(),
        },
        entry_points: options.entry_points.clone(),
        routers,
        services,
        snapshots: Arc::downgrade(state.snapshots),
        tokens: Arc::clone(state.providers),
    }
}
