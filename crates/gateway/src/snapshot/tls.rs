//! Certificates and TLS options: what a handshake needs before there is a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_config::Shared;
use carnet_config::diagnostics::Severity;
use carnet_config::routing::router::RouterTls;
use carnet_config::routing::tls::{Certificate, TlsOptions};
use carnet_config::rule::{HostPattern, Rule};

use super::compile::Compile;
use crate::tls::{Certificates, DefaultCertificate, Handshake, Handshakes, Identity, Policy};

/// The options of names that no router has others for.
pub(super) const DEFAULT: &str = "default";

/// Every set of options, with the certificates; why not, where one cannot be used.
pub(super) type Configs = BTreeMap<String, Result<Handshake, String>>;

/// What the routers of an entry point want of the handshakes for their hosts.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Routers and options, by host as it is written.
    by_host: BTreeMap<String, (HostPattern, BTreeSet<(String, String)>)>,
}

impl Compile<'_> {
    /// Certificates and options, ready for handshakes.
    pub(super) fn tls(&mut self) -> Configs {
        let certificates = Arc::new(self.certificates());
        self.certificates = Some(Arc::clone(&certificates));
        self.want_default_certificate();
        let config = self.config;
        let default = TlsOptions::default();
        let declared = config.tls.options.iter();
        let served = declared.filter_map(|(name, object)| Some((name.as_str(), object.served()?)));
        let is_declared = config.tls.options.contains_key(DEFAULT);
        let implied = (!is_declared).then_some((DEFAULT, &default));
        let mut configs = Configs::new();
        for (name, options) in served.chain(implied) {
            let clock = &self.around.supplies.clock;
            let shelf = &mut self.snapshot.policies;
            let policy = shelf.place(name, options.clone(), &self.previous.policies, |options| {
                Policy::new(options, Arc::clone(clock)).map(Arc::new)
            });
            let handshake = policy.clone().and_then(|policy| {
                let config = policy.server_config(&certificates)?;
                Ok(Handshake { policy, config })
            });
            if let Err(reason) = &handshake {
                let message = format!("{reason}; handshakes that need it are refused");
                self.error(format!("tls option {name}"), message);
            }
            configs.insert(name.to_owned(), handshake);
        }
        configs
    }

    fn certificates(&mut self) -> Certificates {
        let mut identities = Vec::new();
        for object in &self.config.tls.certificates {
            if let Some(certificate) = object.served()
                && let Some(identity) = self.identity(certificate, "tls certificate")
            {
                identities.push(identity);
            }
        }
        let store = self.config.tls.stores.get(DEFAULT);
        let wanted = store.and_then(|store| store.served()?.default_certificate.as_ref());
        let given = wanted.and_then(|wanted| self.identity(wanted, "tls store default"));
        let default = DefaultCertificate {
            identity: given.as_ref().or(self.around.default_certificate),
            issued: match wanted {
                None => self.generated().and_then(|cert| cert.names.first()),
                Some(_) => None,
            },
        };
        let shown = identities.iter().chain(default.identity);
        self.snapshot.certificates = Shared::new(shown.filter_map(Identity::facts).collect());
        Certificates::new(&identities, self.around.issued, &default)
    }

    fn identity(&mut self, certificate: &Certificate, object: &str) -> Option<Identity> {
        let pair = certificate.cert.text().zip(certificate.key.text());
        let (cert, key) = pair?;
        let identity = Identity::of_pem(cert, key);
        let failed = |reason| self.error(object.to_owned(), format!("{reason}; it is not shown"));
        identity.map_err(failed).ok()
    }

    /// Notes which options a router wants for its hosts. Gives the options that its requests must
    /// come under although its hosts do not decide it: there are none, or others want something
    /// else. Err: its options are missing or broken.
    pub(super) fn wish(
        &mut self,
        name: &str,
        (rule, tls): (&Rule, &RouterTls),
        configs: &Configs,
        wishes: &mut Wishes,
    ) -> Result<Option<Arc<Policy>>, String> {
        let options = tls.options.as_deref().unwrap_or(DEFAULT);
        let hosts = rule.hosts();
        for host in &hosts {
            let entry = wishes.by_host.entry(host.to_string());
            let (_, wanted) = entry.or_insert_with(|| ((*host).clone(), BTreeSet::new()));
            wanted.insert((options.to_owned(), name.to_owned()));
        }
        if let Some(resolver) = &tls.cert_resolver {
            self.want_certificates(name, resolver, tls, &hosts);
        }
        if hosts.is_empty() && options != DEFAULT {
            let message = "its rule names no host, so its options cannot be chosen by the name \
                           that a client asks for";
            self.tell(Severity::Warning, name, "tls.options", message.into());
        }
        match configs.get(options) {
            Some(Ok(handshake)) => {
                let policy = &handshake.policy;
                Ok(policy.requires_certificate().then(|| Arc::clone(policy)))
            }
            Some(Err(_)) => Err(format!("tls option `{options}` cannot be used")),
            None if self.config.tls.options.contains_key(options) => {
                Err(format!("tls option `{options}` has an error"))
            }
            None => Err(self.missing("tls option", options, self.config.tls.options.keys())),
        }
    }

    /// The handshakes of an entry point. Hosts whose routers disagree get the default options, as
    /// in Traefik; a router that demands a certificate there is not reached without.
    pub(super) fn handshakes(&mut self, wishes: Wishes, configs: &Configs) -> Handshakes {
        let usable = |options: &str| configs.get(options).and_then(|made| made.clone().ok());
        let mut handshakes = Handshakes::new(usable(DEFAULT));
        for (host, (pattern, wanted)) in wishes.by_host {
            let mut options = wanted.iter().map(|(options, _)| options.as_str());
            let first = options.next().unwrap_or(DEFAULT);
            let agreed = options.all(|other| other == first);
            if agreed {
                handshakes.set(&pattern, usable(first));
                continue;
            }
            for (_, router) in &wanted {
                let message = format!(
                    "routers of `{host}` name different options, so connections to it are made \
                     under `{DEFAULT}`"
                );
                self.tell(Severity::Warning, router, "tls.options", message);
            }
            handshakes.set(&pattern, usable(DEFAULT));
        }
        handshakes
    }
}
