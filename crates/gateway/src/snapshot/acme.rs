//! What routers and the store want of certificate resolvers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use carnet_config::diagnostics::Severity;
use carnet_config::routing::router::RouterTls;
use carnet_config::routing::tls::DefaultGeneratedCert;
use carnet_config::rule::HostPattern;

use super::compile::Compile;
use super::tls::DEFAULT;

impl<'a> Compile<'a> {
    /// Notes the names of a router: its `domains`, or else the hosts of its rule.
    pub(super) fn want_certificates(
        &mut self,
        router: &str,
        resolver: &str,
        tls: &RouterTls,
        hosts: &[&HostPattern],
    ) {
        let of_rule = hosts.iter().filter_map(|host| match host {
            HostPattern::Exact(name) if name.parse::<IpAddr>().is_err() => Some(name.clone()),
            _ => None,
        });
        let mut all = tls.domains.clone();
        if all.is_empty() {
            all.push(of_rule.collect());
        }
        for names in all {
            if let Err(reason) = self.want(resolver, &names) {
                let message = format!("{reason}; connections get the default certificate");
                self.tell(Severity::Error, router, "tls.certResolver", message);
            }
        }
    }

    /// Notes the names of `defaultGeneratedCert`.
    pub(super) fn want_default_certificate(&mut self) {
        let Some(DefaultGeneratedCert { resolver, names }) = self.generated() else {
            return;
        };
        if let Err(reason) = self.want(resolver, names) {
            let message = format!("{reason}; a generated certificate is shown");
            self.error("tls store default".to_owned(), message);
        }
    }

    /// `defaultGeneratedCert`, where there is no `defaultCertificate`.
    pub(super) fn generated(&self) -> Option<&'a DefaultGeneratedCert> {
        let store = self.config.tls.stores.get(DEFAULT)?.served()?;
        let generated = store.default_generated_cert.as_ref();
        generated.filter(|_| store.default_certificate.is_none())
    }

    /// Notes the names of one certificate, unless configured ones cover them. The error is one
    /// sentence.
    fn want(&mut self, resolver: &str, names: &[String]) -> Result<(), String> {
        let known = self.around.resolvers;
        if !known.contains(resolver) {
            return Err(self.missing("certificate resolver", resolver, known.iter()));
        }
        if let Some(name) = names.iter().find(|name| name.contains('*')) {
            return Err(format!(
                "`{name}` can only be proved by `dnsChallenge`, which is not served yet"
            ));
        }
        let clean = |name: &String| name.trim_end_matches('.').to_ascii_lowercase();
        let mut names: Vec<String> = names.iter().map(clean).collect();
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let configured = self.certificates.as_ref();
        let has = |name: &String| configured.is_some_and(|certificates| certificates.has(name));
        if !names.iter().all(has) {
            let wanted = self.snapshot.wanted.entry(resolver.to_owned());
            wanted.or_default().insert(names);
        }
        Ok(())
    }
}
