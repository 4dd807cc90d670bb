//! `TLSOption`: versions, ciphers, and whether clients show certificates.

use carnet_config::diagnostics::Object;
use carnet_config::routing::tls::{ClientAuthType, TlsOptions};

use super::{Reference, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `TLSOption.spec`.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsOption {
    /// Everything but the authorities of clients' certificates, which are in Secrets.
    pub options: TlsOptions,
    /// `clientAuth.secretNames`.
    pub authorities: Vec<Reference>,
}

impl TlsOption {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let mut value = Self {
            options: TlsOptions::read_handshake(&mut fields),
            authorities: Vec::new(),
        };
        fields.map("clientAuth", |client_auth| {
            value.authorities = Reference::list(client_auth, "secretNames");
            let is_named = !value.authorities.is_empty();
            value.options.client_auth.kind =
                ClientAuthType::read(client_auth, "secretNames", is_named);
        });
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}
