//! TLSOptions, TLSStores, and the certificates in Secrets that they and IngressRoutes name.

use std::collections::BTreeSet;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::Pem;
use carnet_config::routing::tls::{Certificate, CertificateStore};
use secrecy::ExposeSecret;

use super::reference::absent;
use super::{Translation, finding};
use crate::kubernetes::AUTHORITY_KEYS;
use crate::kubernetes::crd::Reference;
use crate::kubernetes::objects::ObjectName;

/// Name of the options and the store that belong to everybody.
const DEFAULT: &str = "default";

impl Translation<'_> {
    /// Options called `default` are everybody's, whatever their namespace; two of them close them.
    pub(super) fn translate_tls_options(&mut self) {
        for (name, object) in &self.objects.tls_options {
            let label = format!("TLSOption {name}");
            let mut diagnostics = object.diagnostics.clone();
            let value = object.value.as_ref().map(|option| {
                let mut options = option.options.clone();
                for reference in &option.authorities {
                    match self.authorities(&name.namespace, reference) {
                        Ok(pem) => options.client_auth.ca_files.push(pem),
                        Err(message) => diagnostics.push(about(&label, reference, message)),
                    }
                }
                options
            });
            let key = match self.tls_options.get(name) {
                Some(key) if name.name != DEFAULT => key.clone(),
                _ => DEFAULT.to_owned(),
            };
            let options = &mut self.config.tls.options;
            if options.contains_key(&key) {
                let message = "there is one called `default` in another namespace".to_owned();
                diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    object: label,
                    key: String::new(),
                    message,
                    position: None,
                });
            }
            options.insert(key, Object { value, diagnostics });
        }
    }

    fn authorities(&self, namespace: &str, reference: &Reference) -> Result<Pem, String> {
        let name = ObjectName::new(namespace, &reference.name);
        let known = self.objects.secrets.keys();
        let secret = self.objects.secrets.get(&name);
        let secret = secret.ok_or_else(|| absent("Secret", &name, known))?;
        let text = AUTHORITY_KEYS.iter().find_map(|key| secret.text(key));
        text.map(Pem::Text)
            .ok_or_else(|| format!("{name} has neither `tls.ca` nor `ca.crt`"))
    }

    /// The store called `default`, and the certificates of all Secrets that are named somewhere.
    pub(super) fn translate_certificates(&mut self) {
        let mut seen = BTreeSet::new();
        for (name, object) in &self.objects.tls_stores {
            if name.name != DEFAULT {
                continue;
            }
            let label = format!("TLSStore {name}");
            let mut diagnostics = object.diagnostics.clone();
            let store = object.value.as_ref();
            let default = store.and_then(|store| store.default_certificate.as_ref());
            let default = default.and_then(|reference| {
                let read = self.certificate(&name.namespace, reference);
                let failed = |message| diagnostics.push(about(&label, reference, message));
                read.map_err(failed).ok()
            });
            let value = store.map(|store| CertificateStore {
                default_certificate: default,
                default_generated_cert: store.default_generated_cert.clone(),
            });
            let stores = &mut self.config.tls.stores;
            stores.insert(DEFAULT.to_owned(), Object { value, diagnostics });
            for reference in store.into_iter().flat_map(|store| &store.certificates) {
                self.show(&label, &name.namespace, reference, &mut seen);
            }
        }
        for (name, object) in &self.objects.ingress_routes {
            let tls = object.value.as_ref().and_then(|route| route.tls.as_ref());
            if let Some(reference) = tls.and_then(|tls| tls.secret.as_ref()) {
                let label = format!("IngressRoute {name}");
                self.show(&label, &name.namespace, reference, &mut seen);
            }
        }
    }

    /// A Secret that several objects name is shown once; each that names one which is not there
    /// says so.
    pub(super) fn show(
        &mut self,
        label: &str,
        namespace: &str,
        reference: &Reference,
        seen: &mut BTreeSet<ObjectName>,
    ) {
        let certificate = match self.certificate(namespace, reference) {
            Ok(_) if !seen.insert(ObjectName::new(namespace, &reference.name)) => return,
            Ok(certificate) => Object::sound(certificate),
            Err(message) => Object::closed(about(label, reference, message)),
        };
        self.config.tls.certificates.push(certificate);
    }

    pub(super) fn certificate(
        &self,
        namespace: &str,
        reference: &Reference,
    ) -> Result<Certificate, String> {
        let name = ObjectName::new(namespace, &reference.name);
        let known = self.objects.secrets.keys();
        let secret = self.objects.secrets.get(&name);
        let secret = secret.ok_or_else(|| absent("Secret", &name, known))?;
        let text = |key: &str| {
            let text = secret.text(key);
            text.filter(|text| !text.expose_secret().is_empty())
                .map(Pem::Text)
                .ok_or_else(|| format!("{name} has no `{key}`"))
        };
        Ok(Certificate {
            cert: text("tls.crt")?,
            key: text("tls.key")?,
        })
    }
}

/// An error at a reference.
pub(super) fn about(label: &str, reference: &Reference, message: String) -> Diagnostic {
    let (key, position) = (&reference.key, &reference.position);
    finding(Severity::Error, label, key, position, message)
}
