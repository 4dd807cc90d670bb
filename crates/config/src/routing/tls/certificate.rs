//! Certificates with their keys, and the store that says which is shown when no name fits.

use crate::document::Fields;
use crate::routing::pem::{HoldsPem, Pem};

/// A certificate and its key. Traefik `tls.certificates[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// `certFile`: the chain, the server's own first.
    pub cert: Pem,
    /// `keyFile`.
    pub key: Pem,
}

/// A certificate store. Traefik `tls.stores.<name>`, `TLSStore`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CertificateStore {
    /// `defaultCertificate`: shown for names that no certificate has; `None`: a generated one.
    pub default_certificate: Option<Certificate>,
}

impl Certificate {
    /// Reads an item of `tls.certificates`; `None` when a part is missing.
    pub(in crate::routing) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let stores = fields.texts("stores");
        if stores.iter().any(|store| store != "default") {
            fields.warn("stores", "only the store `default` is used");
        }
        Self::read_pair(fields)
    }

    /// Reads `certFile` and `keyFile`; `None` when one is missing.
    pub(in crate::routing) fn read_pair(fields: &mut Fields<'_>) -> Option<Self> {
        let cert = Pem::required(fields, "certFile");
        let key = Pem::required(fields, "keyFile");
        Some(Self {
            cert: cert?,
            key: key?,
        })
    }
}

impl CertificateStore {
    /// Reads `tls.stores.<name>`.
    pub(in crate::routing) fn read(fields: &mut Fields<'_>, name: &str) -> Self {
        if name != "default" {
            fields.warn("", "only the store `default` is used; name this one so");
        }
        fields.not_yet("tls.stores.*");
        Self {
            default_certificate: fields
                .map("defaultCertificate", Certificate::read_pair)
                .flatten(),
        }
    }
}

impl HoldsPem for Certificate {
    fn pems(&mut self) -> Vec<&mut Pem> {
        vec![&mut self.cert, &mut self.key]
    }
}

impl HoldsPem for CertificateStore {
    fn pems(&mut self) -> Vec<&mut Pem> {
        let certificate = self.default_certificate.as_mut();
        certificate.map(HoldsPem::pems).unwrap_or_default()
    }
}
