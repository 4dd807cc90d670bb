//! What a handshake found out.

use std::sync::Arc;

use rustls::ServerConnection;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::Policy;

/// An encrypted connection.
#[derive(Debug)]
pub struct TlsSession {
    policy: Arc<Policy>,
    version: &'static str,
    cipher: String,
    chose_http2: bool,
    certificates: Vec<CertificateDer<'static>>,
}

impl TlsSession {
    /// Of a connection whose handshake is over.
    pub(crate) fn new(policy: Arc<Policy>, connection: &ServerConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
            _ => "",
        };
        let cipher = connection.negotiated_cipher_suite();
        let cipher = cipher.and_then(|cipher| cipher.suite().as_str());
        let shown = connection.peer_certificates().unwrap_or_default();
        Self {
            policy,
            version,
            cipher: cipher.unwrap_or_default().replacen("TLS13_", "TLS_", 1),
            chose_http2: connection.alpn_protocol() == Some(b"h2"),
            certificates: shown.iter().map(|c| c.clone().into_owned()).collect(),
        }
    }

    /// The options it was made under.
    pub(crate) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether client and gateway agreed to speak HTTP/2 (ALPN).
    pub(crate) fn chose_http2(&self) -> bool {
        self.chose_http2
    }

    /// `1.2` or `1.3`.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// IANA's name of the cipher suite.
    pub fn cipher(&self) -> &str {
        &self.cipher
    }

    /// The chain that the client showed, its own first; empty when it showed none.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Whom the client's certificate names, as RFC 2253 writes it.
    pub fn client_subject(&self) -> Option<String> {
        let certificate = self.certificates.first()?;
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(distinguished_name(certificate.subject()))
    }
}

/// RFC 2253: the last part first.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let registry = x509_parser::objects::oid_registry();
    let part = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let oid = attribute.attr_type();
        let short = x509_parser::objects::oid2abbrev(oid, registry);
        let key = short.map_or_else(|_| oid.to_id_string(), str::to_owned);
        let value = attribute.as_str().unwrap_or_default();
        format!("{key}={}", escaped(value))
    };
    let mut parts: Vec<_> = name.iter_attributes().map(part).collect();
    parts.reverse();
    parts.join(",")
}

/// RFC 2253 section 2.4.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if ",+\"\\<>;".contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
