//! `serve.tls`, `serve.public.tls` and `serve.admin.tls`.

use ipnet::IpNet;
use secrecy::SecretString;

use crate::document::Fields;
use crate::secret::secret;

/// `tls` of a port, where it is `enabled`: TLS 1.2 and 1.3, with HTTP/1.1 and HTTP/2. Files are read
/// again when they change.
#[derive(Debug, Clone)]
pub struct Tls {
    /// `cert`: the certificate and the chain to its authority, PEM.
    pub certificate: Pem,
    /// `key`: its private key, PEM.
    pub key: Pem,
    /// `allow_termination_from`: ranges of addresses, as 10.0.0.0/8, of proxies that end TLS and say
    /// so in `X-Forwarded-Proto: https`. From everybody else plain HTTP is refused, but for health
    /// and metrics. Default none.
    pub allow_termination_from: Vec<IpNet>,
}

/// Where PEM is.
#[derive(Debug, Clone)]
pub enum Pem {
    /// `path`: in this file; wins over `base64`.
    Path(String),
    /// `base64`: here, PEM in base64.
    Base64(SecretString),
}

/// What one section says.
#[derive(Debug, Clone, Default)]
pub(super) struct PartialTls {
    enabled: Option<bool>,
    certificate: Option<Pem>,
    key: Option<Pem>,
    allow_termination_from: Option<Vec<IpNet>>,
}

pub(super) fn read(fields: &mut Fields<'_>) -> PartialTls {
    PartialTls {
        enabled: fields.boolean("enabled"),
        certificate: fields.map("cert", pem).flatten(),
        key: fields.map("key", pem).flatten(),
        allow_termination_from: fields
            .has("allow_termination_from")
            .then(|| ranges(fields, "allow_termination_from")),
    }
}

pub(super) fn pem(fields: &mut Fields<'_>) -> Option<Pem> {
    let path = fields.text("path").filter(|path| !path.is_empty());
    let base64 = secret(fields, "base64");
    path.map(Pem::Path).or(base64.map(Pem::Base64))
}

pub(super) fn ranges(fields: &mut Fields<'_>, key: &'static str) -> Vec<IpNet> {
    let mut ranges = Vec::new();
    for text in fields.texts(key) {
        match text.trim().parse() {
            Ok(range) => ranges.push(range),
            Err(_) => {
                let message = format!("{text:?} is no range of addresses; write it as 10.0.0.0/8");
                fields.error(key, message);
            }
        }
    }
    ranges
}

impl PartialTls {
    /// What this says, and what it leaves open as `below` says it.
    pub(super) fn over(self, below: &Self) -> Self {
        let below = below.clone();
        Self {
            enabled: self.enabled.or(below.enabled),
            certificate: self.certificate.or(below.certificate),
            key: self.key.or(below.key),
            allow_termination_from: self.allow_termination_from.or(below.allow_termination_from),
        }
    }

    /// What is served, unless it is off. Who asks for TLS never gets plain text instead.
    pub(super) fn served(self, fields: &mut Fields<'_>, key: &str) -> Option<Tls> {
        let ranges = self.allow_termination_from.unwrap_or_default();
        if self.enabled != Some(true) {
            if !ranges.is_empty() {
                let message = "has no effect while TLS is off: plain HTTP is taken from everybody; \
                               set `enabled` to true, or remove it";
                fields.warn(&format!("{key}.allow_termination_from"), message);
            }
            return None;
        }
        let (Some(certificate), Some(key_pem)) = (self.certificate, self.key) else {
            let message = "TLS is on, and needs a certificate and its key; set `cert.path` and \
                           `key.path`";
            fields.error(&format!("{key}.enabled"), message);
            return None;
        };
        Some(Tls {
            certificate,
            key: key_pem,
            allow_termination_from: ranges,
        })
    }
}
