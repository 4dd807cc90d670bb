//! ServersTransports: the certificates they trust are in other objects of their namespace.

use carnet_config::diagnostics::Object;
use carnet_config::routing::Pem;
use secrecy::ExposeSecret;

use super::Translation;
use super::reference::absent;
use super::tls::about;
use crate::kubernetes::AUTHORITY_KEYS;
use crate::kubernetes::crd::CertificateSource;
use crate::kubernetes::objects::ObjectName;

impl Translation<'_> {
    pub(super) fn translate_servers_transports(&mut self) {
        for (name, object) in &self.objects.servers_transports {
            let Some(key) = self.servers_transports.get(name) else {
                continue;
            };
            let label = format!("ServersTransport {name}");
            let mut diagnostics = object.diagnostics.clone();
            let value = object.value.as_ref().map(|transport| {
                let mut options = transport.options.clone();
                for source in &transport.root_cas {
                    match self.certificates(&name.namespace, source) {
                        Ok(pem) => options.root_cas.push(Pem::from(pem)),
                        Err(message) => {
                            let (CertificateSource::Secret(reference)
                            | CertificateSource::ConfigMap(reference)) = source;
                            diagnostics.push(about(&label, reference, message));
                        }
                    }
                }
                for reference in &transport.certificates {
                    match self.certificate(&name.namespace, reference) {
                        Ok(certificate) => options.certificates.push(certificate),
                        Err(message) => diagnostics.push(about(&label, reference, message)),
                    }
                }
                options
            });
            let object = Object { value, diagnostics };
            self.config.servers_transports.insert(key.clone(), object);
        }
    }

    fn certificates(&self, namespace: &str, source: &CertificateSource) -> Result<String, String> {
        let (name, found) = match source {
            CertificateSource::Secret(reference) => {
                let name = ObjectName::new(namespace, &reference.name);
                let secret = self.objects.secrets.get(&name);
                let secret =
                    secret.ok_or_else(|| absent("Secret", &name, self.objects.secrets.keys()))?;
                let text = AUTHORITY_KEYS.iter().find_map(|key| secret.text(key));
                (name, text.map(|text| text.expose_secret().to_owned()))
            }
            CertificateSource::ConfigMap(reference) => {
                let name = ObjectName::new(namespace, &reference.name);
                let known = self.objects.config_maps.keys();
                let map = self.objects.config_maps.get(&name);
                let map = map.ok_or_else(|| absent("ConfigMap", &name, known))?;
                let data = map.data.clone().unwrap_or_default();
                (
                    name,
                    AUTHORITY_KEYS
                        .iter()
                        .find_map(|key| data.get(*key))
                        .cloned(),
                )
            }
        };
        found.ok_or_else(|| format!("{name} has neither `tls.ca` nor `ca.crt`"))
    }
}
