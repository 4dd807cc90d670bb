//! Install configuration (Traefik calls it static): what is read once at the start. Field docs are
//! the user reference.
//!
//! Sources are a file, flags or the environment, never mixed.

use std::collections::BTreeMap;

mod api;
pub mod authserver;
pub mod certificates_resolvers;
pub mod entry_points;
mod environment;
mod flags;
pub mod kubernetes;
pub mod metrics;
pub mod observability;
pub mod providers;
mod read;
mod search;
pub mod tracing;

pub use api::Api;
pub use certificates_resolvers::Acme;
pub use entry_points::EntryPoint;
pub use environment::{ENVIRONMENT_PREFIX, read_environment};
pub use flags::{beside_config_file, config_file, read_flags};
pub use kubernetes::{KubernetesCluster, KubernetesCrd, KubernetesIngress};
pub use metrics::Metrics;
pub use observability::{AccessLog, AccessLogFormat, Log, Ping};
pub use providers::{FileProvider, Providers};
pub use read::read_document;
pub use search::search_names;
pub use tracing::Tracing;

use crate::routing::ServersTransport;

/// Everything the gateway knows before it reads its first route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstallConfig {
    /// `entryPoints`: where it listens. When none is declared there is one called `http` at `:80`;
    /// one called `traefik` at `:8080` is made when `api.insecure`, `metrics` or `ping` needs it.
    pub entry_points: BTreeMap<String, EntryPoint>,
    /// `providers`: where routes come from.
    pub providers: Providers,
    /// `accessLog`; `None`: no access log.
    pub access_log: Option<AccessLog>,
    /// `log`.
    pub log: Log,
    /// `ping`; `None`: no `/ping`.
    pub ping: Option<Ping>,
    /// `certificatesResolvers`: who gives certificates, by the names that routers use.
    pub certificates_resolvers: BTreeMap<String, Acme>,
    /// `api`; `None`: no `/api`.
    pub api: Option<Api>,
    /// `metrics`.
    pub metrics: Metrics,
    /// `tracing`; `None`: nothing is traced.
    pub tracing: Option<Tracing>,
    /// `serversTransport`: how servers are reached whose services name no transport. It may say all
    /// that one of `http.serversTransports` may.
    pub servers_transport: ServersTransport,
}
