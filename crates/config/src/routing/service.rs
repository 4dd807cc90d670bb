//! `http.services.<name>`: the servers behind a router.

use url::Url;

/// A service: one kind, checked when read.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// `loadBalancer`.
    LoadBalancer(LoadBalancer),
    /// `weighted`: other services by weight.
    Weighted(Weighted),
}

/// `loadBalancer`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// The servers. Empty: the service answers 503.
    pub servers: Vec<Server>,
    /// Send the client's `Host` to the server. Default true.
    pub pass_host_header: bool,
    /// Name of the servers transport; `None` means the default one.
    pub servers_transport: Option<String>,
}

/// `loadBalancer.servers[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `scheme://host:port`, scheme `http`, `https` or `h2c`.
    pub url: Url,
    /// Share of requests. Default 1.
    pub weight: u32,
    /// Put the path of `url` in front of the request's path. Default false: it is ignored.
    pub preserve_path: bool,
}

/// `weighted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// The services and their shares.
    pub services: Vec<WeightedService>,
}

/// `weighted.services[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedService {
    /// Name of a service.
    pub name: String,
    /// Share of requests. Default 1.
    pub weight: u32,
}
