//! Routing configuration (Traefik calls it dynamic): routers, services, middlewares, as typed
//! options. Field docs are the user reference.
//!
//! Before the merge names are as written (`whoami`); afterwards every name and reference carries
//! its provider (`whoami@file`).

use std::collections::BTreeMap;

use crate::Shared;
use crate::diagnostics::{Diagnostic, Object};

pub mod middleware;
mod pem;
mod read;
pub mod router;
pub mod servers_transport;
pub mod service;
mod statuses;
pub mod tls;

pub use middleware::Middleware;
pub use pem::Pem;
pub use read::read;
pub use router::Router;
pub use servers_transport::ServersTransport;
pub use service::Service;
pub use statuses::Statuses;
pub use tls::Tls;

/// Everything that decides where a request goes. Ordered maps only: same input, same snapshot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoutingConfig {
    /// `http.routers`, `IngressRoute` routes.
    pub routers: Shared<BTreeMap<String, Object<Router>>>,
    /// `http.services`. They change most often, by themselves; so the others are shared.
    pub services: BTreeMap<String, Object<Service>>,
    /// `http.middlewares`, `Middleware`.
    pub middlewares: Shared<BTreeMap<String, Object<Middleware>>>,
    /// `http.serversTransports`, `ServersTransport`.
    pub servers_transports: Shared<BTreeMap<String, Object<ServersTransport>>>,
    /// `tls`.
    pub tls: Shared<Tls>,
    /// Findings about sources as wholes, like sections that are not served. Never errors.
    pub diagnostics: Vec<Diagnostic>,
}
