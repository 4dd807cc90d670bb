//! `http.serversTransports.<name>`: how servers are reached.

use std::time::Duration;

use crate::document::Fields;
use crate::outbound::insecure_skip_verify;
use crate::routing::pem::{HoldsPem, Pem};
use crate::routing::tls::{Certificate, Spoken};

/// A servers transport.
#[derive(Debug, Clone, PartialEq)]
pub struct ServersTransport {
    /// Name for SNI and certificate verification; `None` means the host of the URL.
    pub server_name: Option<String>,
    /// Skip certificate verification. Default false.
    pub insecure_skip_verify: bool,
    /// `peerCertURI`: a URI that the certificate of the server must have, beside all else; `None`:
    /// none. With `insecureSkipVerify` it must still be signed by an authority, for any host.
    pub peer_cert_uri: Option<String>,
    /// `minVersion`, `maxVersion` and `cipherSuites`.
    pub spoken: Spoken,
    /// PEM bundles trusted instead of the system's.
    pub root_cas: Vec<Pem>,
    /// Who we are to servers that ask; of several, the one that fits is shown.
    pub certificates: Vec<Certificate>,
    /// `disableHTTP2`: HTTP/1.1 also where a server offers both over TLS. Default false.
    pub disable_http2: bool,
    /// Idle connections kept per host. Default 200.
    pub max_idle_conns_per_host: usize,
    /// Limit of a dial. Default 30 s; zero means none.
    pub dial_timeout: Duration,
    /// Limit from the request to the response's head. Default zero: none.
    pub response_header_timeout: Duration,
    /// Limit of an idle connection. Default 90 s.
    pub idle_conn_timeout: Duration,
    /// `readIdleTimeout`: a connection of HTTP/2 that is silent for so long gets a ping. Default
    /// zero: none.
    pub read_idle_timeout: Duration,
    /// `pingTimeout`: limit of its answer. Default 15 s.
    pub ping_timeout: Duration,
}

impl Default for ServersTransport {
    fn default() -> Self {
        Self {
            server_name: None,
            insecure_skip_verify: false,
            peer_cert_uri: None,
            spoken: Spoken::default(),
            root_cas: Vec::new(),
            certificates: Vec::new(),
            disable_http2: false,
            max_idle_conns_per_host: 200,
            dial_timeout: Duration::from_secs(30),
            response_header_timeout: Duration::ZERO,
            idle_conn_timeout: Duration::from_secs(90),
            read_idle_timeout: Duration::ZERO,
            ping_timeout: Duration::from_secs(15),
        }
    }
}

impl ServersTransport {
    /// Reads `http.serversTransports.<name>`, or `serversTransport` of the install configuration.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let certificates = fields.maps("certificates", Certificate::read_pair);
        Self {
            root_cas: Pem::list(fields, "rootCAs"),
            certificates: certificates.into_iter().flatten().collect(),
            ..Self::read_connection(fields)
        }
    }

    /// Reads what `http.serversTransports.<name>` and `ServersTransport.spec` have in common:
    /// everything but the certificates, which the latter keeps in other objects.
    pub fn read_connection(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("http.serversTransports.*");
        let mut text = |key| fields.text(key).filter(|text| !text.is_empty());
        let mut transport = Self {
            server_name: text("serverName"),
            peer_cert_uri: text("peerCertURI"),
            spoken: Spoken::read(fields),
            insecure_skip_verify: insecure_skip_verify(fields),
            disable_http2: fields.boolean("disableHTTP2").unwrap_or(false),
            ..Self::default()
        };
        if let Some(count) = fields.number("maxIdleConnsPerHost") {
            transport.max_idle_conns_per_host = count;
        }
        fields.map("forwardingTimeouts", |timeouts| {
            transport.read_timeouts(timeouts)
        });
        transport
    }

    fn read_timeouts(&mut self, fields: &mut Fields<'_>) {
        for (key, timeout) in [
            ("dialTimeout", &mut self.dial_timeout),
            ("responseHeaderTimeout", &mut self.response_header_timeout),
            ("idleConnTimeout", &mut self.idle_conn_timeout),
            ("readIdleTimeout", &mut self.read_idle_timeout),
            ("pingTimeout", &mut self.ping_timeout),
        ] {
            if let Some(given) = fields.duration(key) {
                *timeout = given;
            }
        }
    }
}

impl HoldsPem for ServersTransport {
    fn pems(&mut self) -> Vec<&mut Pem> {
        let certificates = self.certificates.iter_mut().flat_map(HoldsPem::pems);
        self.root_cas.iter_mut().chain(certificates).collect()
    }
}
