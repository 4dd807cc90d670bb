//! `ServersTransport`: how servers are reached.

use carnet_config::diagnostics::Object;
use carnet_config::routing;

use super::{Reference, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `ServersTransport.spec`.
#[derive(Debug, Clone, PartialEq)]
pub struct ServersTransport {
    /// Everything but the certificates, which are in other objects.
    pub options: routing::ServersTransport,
    /// `rootCAs` and the older `rootCAsSecrets`.
    pub root_cas: Vec<CertificateSource>,
    /// `certificatesSecrets`: who we are to servers that ask.
    pub certificates: Vec<Reference>,
}

/// An object with a PEM bundle under `tls.ca` or `ca.crt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// `secret`.
    Secret(Reference),
    /// `configMap`.
    ConfigMap(Reference),
}

impl ServersTransport {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let mut value = Self {
            options: routing::ServersTransport::read_connection(&mut fields),
            root_cas: Vec::new(),
            certificates: Vec::new(),
        };
        let sources = fields.maps("rootCAs", |source| {
            let secret = Reference::plain(source, "secret").map(CertificateSource::Secret);
            let map = Reference::plain(source, "configMap").map(CertificateSource::ConfigMap);
            if secret.is_some() == map.is_some() {
                source.error("", "expects one of `secret` and `configMap`");
            }
            secret.or(map)
        });
        value.root_cas.extend(sources.into_iter().flatten());
        let older = Reference::list(&mut fields, "rootCAsSecrets");
        let older = older.into_iter().map(CertificateSource::Secret);
        value.root_cas.extend(older);
        value.certificates = Reference::list(&mut fields, "certificatesSecrets");
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}
