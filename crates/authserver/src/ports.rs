//! How the two ports are served.

use ipnet::IpNet;
use secrecy::SecretString;

/// What is told about each port.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    /// `serve.public`.
    pub public: PortOptions,
    /// `serve.admin`.
    pub admin: PortOptions,
}

/// How a port is served.
#[derive(Debug, Clone, Default)]
pub struct PortOptions {
    /// `tls`; plain HTTP when absent.
    pub tls: Option<TlsOptions>,
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
