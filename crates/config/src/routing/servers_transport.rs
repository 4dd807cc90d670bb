//! `http.serversTransports.<name>`: how servers are reached.

use std::time::Duration;

/// A servers transport.
#[derive(Debug, Clone, PartialEq)]
pub struct ServersTransport {
    /// Name for SNI and certificate verification; `None` means the host of the URL.
    pub server_name: Option<String>,
    /// Skip certificate verification. Default false.
    pub insecure_skip_verify: bool,
    /// PEM bundles trusted instead of the system's.
    pub root_cas: Vec<String>,
    /// Idle connections kept per host. Default 200.
    pub max_idle_conns_per_host: usize,
    /// Limit of a dial. Default 30 s; zero means none.
    pub dial_timeout: Duration,
    /// Limit from the request to the response's head. Default zero: none.
    pub response_header_timeout: Duration,
    /// Limit of an idle connection. Default 90 s.
    pub idle_conn_timeout: Duration,
}

impl Default for ServersTransport {
    fn default() -> Self {
        Self {
            server_name: None,
            insecure_skip_verify: false,
            root_cas: Vec::new(),
            max_idle_conns_per_host: 200,
            dial_timeout: Duration::from_secs(30),
            response_header_timeout: Duration::ZERO,
            idle_conn_timeout: Duration::from_secs(90),
        }
    }
}
