//! TraefikServices: services made of services.

use carnet_config::diagnostics::{Diagnostic, Object};
use carnet_config::routing::Service;
use carnet_config::routing::service::{Failover, HighestRandomWeight, Mirror, Mirroring, Weighted};

use super::Translation;
use crate::kubernetes::crd::{self, TraefikService};

impl Translation<'_> {
    pub(super) fn translate_traefik_services(&mut self) {
        let names = self.traefik_services.clone();
        for (name, key) in &names {
            // Taken before anything below or behind them asks for a name.
            self.names
                .services
                .claim(key, &format!("TraefikService {name}"));
        }
        for (name, key) in names {
            let label = format!("TraefikService {name}");
            let Some(object) = self.objects.traefik_services.get(&name) else {
                continue;
            };
            let entries = object.value.iter().flat_map(TraefikService::entries);
            if !self.is_wanted(&name.namespace, entries) {
                continue;
            }
            let mut diagnostics = object.diagnostics.clone();
            let value = object.value.as_ref().and_then(|service| {
                self.composed(&name.namespace, &label, service, &mut diagnostics)
            });
            self.config
                .services
                .insert(key, Object { value, diagnostics });
        }
    }

    fn composed(
        &mut self,
        namespace: &str,
        label: &str,
        service: &TraefikService,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Service> {
        Some(match service {
            TraefikService::Weighted { services, sticky } => Service::Weighted(Weighted {
                services: self.children(namespace, label, services, findings),
                sticky: sticky.clone(),
                health_check: false,
            }),
            TraefikService::HighestRandomWeight(services) => {
                Service::HighestRandomWeight(HighestRandomWeight {
                    services: self.children(namespace, label, services, findings),
                    health_check: false,
                })
            }
            TraefikService::Failover(failover) => {
                Service::Failover(self.failover(namespace, label, failover, findings)?)
            }
            TraefikService::Mirroring(mirroring) => {
                Service::Mirroring(self.mirroring(namespace, label, mirroring, findings)?)
            }
        })
    }

    fn mirroring(
        &mut self,
        namespace: &str,
        label: &str,
        mirroring: &crd::Mirroring,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Mirroring> {
        let mut name = |entry| {
            let found = self.child(namespace, label, entry);
            found.map_err(|finding| findings.push(finding)).ok()
        };
        let service = name(&mirroring.service);
        let mirrors = mirroring.mirrors.iter().map(|(entry, options)| {
            Some(Mirror {
                name: name(entry)?,
                ..options.clone()
            })
        });
        let mirrors: Vec<_> = mirrors.collect();
        Some(Mirroring {
            service: service?,
            mirrors: mirrors.into_iter().collect::<Option<_>>()?,
            ..mirroring.options.clone()
        })
    }

    fn failover(
        &mut self,
        namespace: &str,
        label: &str,
        failover: &crd::Failover,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Failover> {
        let mut name = |entry| {
            let found = self.child(namespace, label, entry);
            found.map_err(|finding| findings.push(finding)).ok()
        };
        let (service, fallback) = (name(&failover.service), name(&failover.fallback));
        Some(Failover {
            service: service?,
            fallback: fallback?,
            health_check: false,
            errors: failover.errors.clone(),
        })
    }
}
