//! `TLSStore`: certificates of Secrets, and the one that is shown when no name fits.

use carnet_config::diagnostics::Object;
use carnet_config::routing::tls::DefaultGeneratedCert;

use super::{Reference, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `TLSStore.spec`. Only the store called `default` is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsStore {
    /// `defaultCertificate.secretName`.
    pub default_certificate: Option<Reference>,
    /// `defaultGeneratedCert`.
    pub default_generated_cert: Option<DefaultGeneratedCert>,
    /// `certificates[].secretName`.
    pub certificates: Vec<Reference>,
}

impl TlsStore {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let certificates = fields.maps("certificates", |item| {
            let secret = Reference::plain(item, "secretName");
            if secret.is_none() {
                item.required_text("secretName");
            }
            secret
        });
        let default = fields.map("defaultCertificate", |default| {
            Reference::plain(default, "secretName")
        });
        let value = Self {
            default_certificate: default.flatten(),
            default_generated_cert: fields
                .map("defaultGeneratedCert", DefaultGeneratedCert::read)
                .flatten(),
            certificates: certificates.into_iter().flatten().collect(),
        };
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}
