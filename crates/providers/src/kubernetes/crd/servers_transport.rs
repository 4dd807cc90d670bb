//! `ServersTransport`: how servers are reached.

use carnet_config::diagnostics::{Object, Severity};
use carnet_config::document::{Fields, Node};
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
        value.root_cas.extend(older_sources(&mut fields));
        fields.unserved(Severity::Error, &["certificatesSecrets"], "");
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}

fn older_sources(fields: &mut Fields<'_>) -> Vec<CertificateSource> {
    let key = fields.dotted("rootCAsSecrets");
    let names = fields.placed_texts("rootCAsSecrets");
    let source = |(index, (name, node)): (usize, (String, &Node))| {
        CertificateSource::Secret(Reference {
            name,
            namespace: None,
            key: format!("{key}[{index}]"),
            position: node.position.clone(),
        })
    };
    names.into_iter().enumerate().map(source).collect()
}
