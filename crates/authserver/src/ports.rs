//! How the two ports are served, and what is told of it.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderMap;
use ipnet::IpNet;
use secrecy::SecretString;
use tracing::Span;

/// The target of the spans that make a trace: requests, and what they wait for.
pub const SPANS: &str = "spans";

/// What is told about each port, and about both.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    /// `serve.public`.
    pub public: PortOptions,
    /// `serve.admin`.
    pub admin: PortOptions,
    /// `serve.drain_delay` (ours): how long connections are taken after the end was asked for, while
    /// the server says that it is not ready.
    pub drain_delay: Duration,
    /// `log`: what a line about a request holds.
    pub request_log: RequestLog,
    /// How a span learns of the trace that its request belongs to; nothing is traced without.
    pub trace_parent: Option<TraceParent>,
}

/// How a port is served.
#[derive(Debug, Clone, Default)]
pub struct PortOptions {
    /// `tls`; plain HTTP when absent.
    pub tls: Option<TlsOptions>,
    /// `request_log.disable_for_health`: whether probes are not logged.
    pub silent_health: bool,
}

/// TLS of a port: 1.2 and 1.3, HTTP/1.1 and HTTP/2.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// What `cert` holds: the certificate and its chain, PEM.
    pub certificate: String,
    /// What `key` holds: the private key, PEM.
    pub key: SecretString,
    /// `allow_termination_from`: the proxies whose `X-Forwarded-Proto: https` counts as TLS.
    pub allow_termination_from: Vec<IpNet>,
}

/// What a line about a request holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLog {
    /// `leak_sensitive_values`: whether queries and headers are written as they came, but for
    /// credentials.
    pub leaks: bool,
    /// `redaction_text`: what is written instead.
    pub redaction_text: String,
    /// `additional_redacted_headers`: headers that are never written, besides credentials.
    pub redacted_headers: Vec<String>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            leaks: false,
            redaction_text: "REDACTED".to_owned(),
            redacted_headers: Vec::new(),
        }
    }
}

/// Looks into the headers of a request for the parent of its span.
pub type Adopt = dyn Fn(&Span, &HeaderMap) + Send + Sync;

/// Gives a span the parent that the headers of its request name.
#[derive(Clone)]
pub struct TraceParent(pub Arc<Adopt>);

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceParent")
    }
}
