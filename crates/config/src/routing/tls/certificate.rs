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
    /// `defaultGeneratedCert`: one that a certificate resolver gives, where `defaultCertificate` is
    /// absent.
    pub default_generated_cert: Option<DefaultGeneratedCert>,
}

/// `defaultGeneratedCert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultGeneratedCert {
    /// `resolver`: its name.
    pub resolver: String,
    /// `domain.main`, then `domain.sans`. Not empty.
    pub names: Vec<String>,
}

impl DefaultGeneratedCert {
    /// Reads it; `None` when a part is missing.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let resolver = fields.required_text("resolver");
        let names = fields.map("domain", |domain| {
            let main = domain.required_text("main");
            let sans = domain.texts("sans");
            main.map(|main| [vec![main], sans].concat())
        });
        if names.is_none() {
            fields.error("domain", "is missing: the names of the certificate");
        }
        Some(Self {
            resolver: resolver?,
            names: names??,
        })
    }
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
        Self {
            default_generated_cert: fields
                .map("defaultGeneratedCert", DefaultGeneratedCert::read)
                .flatten(),
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::document::parse_yaml;
    use crate::routing;

    #[test]
    fn a_default_certificate_of_a_resolver_needs_the_resolver_and_a_name() {
        let read = |generated: &str| {
            let yaml =
                format!("tls: {{stores: {{default: {{defaultGeneratedCert: {generated}}}}}}}");
            let node = parse_yaml(&yaml, "a.yaml").unwrap().remove(0);
            routing::read(&node)
                .unwrap()
                .tls
                .stores
                .remove("default")
                .unwrap()
        };
        let store = read("{resolver: le, domain: {main: a.test, sans: [b.test]}}");
        let generated = store
            .served()
            .unwrap()
            .default_generated_cert
            .clone()
            .unwrap();
        assert_eq!(generated.resolver, "le");
        assert_eq!(generated.names, ["a.test", "b.test"]);
        for (generated, key) in [
            ("{resolver: le}", "defaultGeneratedCert.domain"),
            ("{domain: {main: a.test}}", "defaultGeneratedCert.resolver"),
            (
                "{resolver: le, domain: {sans: [a.test]}}",
                "defaultGeneratedCert.domain.main",
            ),
        ] {
            let found = read(generated).diagnostics;
            assert!(
                found.iter().any(|finding| finding.key.ends_with(key)),
                "{found:?}"
            );
        }
    }
}
