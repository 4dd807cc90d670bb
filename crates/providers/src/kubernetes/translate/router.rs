//! IngressRoutes to routers.

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::Router;
use carnet_config::routing::router::RouterTls;

use super::tls::about;
use super::{Translation, claims, finding};
use crate::kubernetes::crd::{IngressRoute, Route, Tls};
use crate::kubernetes::objects::ObjectName;

/// The class that is served when none is configured, besides none at all.
const DEFAULT_CLASS: &str = "traefik";

impl Translation<'_> {
    pub(super) fn translate_ingress_routes(&mut self) {
        for (name, object) in &self.objects.ingress_routes {
            match &object.value {
                Some(ingress_route) if !self.serves_class(ingress_route) => {}
                Some(ingress_route) if !self.is_wanted_route(name, ingress_route) => {}
                Some(ingress_route) if !ingress_route.routes.is_empty() => {
                    for route in &ingress_route.routes {
                        self.translate_route(name, ingress_route, route, &object.diagnostics);
                    }
                }
                // It has no rule: it is only told of.
                _ => {
                    let wanted = format!("{}-{}", name.namespace, name.name);
                    let key = self.names.routers.claim(&wanted, &name.to_string());
                    let closed = Object {
                        value: None,
                        diagnostics: object.diagnostics.clone(),
                    };
                    self.config.routers.insert(key, closed);
                }
            }
        }
    }

    fn is_wanted_route(&self, name: &ObjectName, ingress_route: &IngressRoute) -> bool {
        let routes = ingress_route.routes.iter();
        let entries = routes.flat_map(|route| route.value.iter().flat_map(|one| &one.services));
        self.is_wanted(&name.namespace, entries)
    }

    fn serves_class(&self, ingress_route: &IngressRoute) -> bool {
        let class = ingress_route.ingress_class.as_deref().unwrap_or_default();
        match self.options.ingress_class.as_deref() {
            None | Some("") => class.is_empty() || class == DEFAULT_CLASS,
            Some(served) => class == served,
        }
    }

    fn translate_route(
        &mut self,
        name: &ObjectName,
        ingress_route: &IngressRoute,
        route: &Object<Route>,
        shared: &[Diagnostic],
    ) {
        let Some(value) = &route.value else { return };
        let label = format!("IngressRoute {name}");
        let rule = &value.matching.rule_text;
        let ObjectName {
            namespace,
            name: own,
        } = name;
        let wanted = format!("{namespace}-{own}-{}", claims::hash(rule, 10));
        let key = self.names.routers.claim(&wanted, &name.to_string());

        let mut findings = shared.to_vec();
        findings.extend(route.diagnostics.iter().cloned());
        if self.config.routers.contains_key(&key) {
            let message = "an earlier route has the same rule and is not served".to_owned();
            let at = format!("{}.match", value.key);
            findings.push(finding(
                Severity::Warning,
                &label,
                &at,
                &value.position,
                message,
            ));
        }
        let router = Router {
            entry_points: ingress_route.entry_points.clone(),
            rule_text: rule.clone(),
            rule: value.matching.rule.clone(),
            priority: value.matching.priority,
            middlewares: self.router_middlewares(namespace, &label, value, &mut findings),
            service: self.router_service(namespace, &label, &key, value),
            tls: ingress_route
                .tls
                .as_ref()
                .map(|tls| self.router_tls(namespace, &label, tls, &mut findings)),
            observability: value.matching.observability,
            position: Some(value.position.clone()),
        };
        let object = Object {
            value: Some(router),
            diagnostics: findings,
        };
        self.config.routers.insert(key, object);
    }

    fn router_middlewares(
        &self,
        namespace: &str,
        label: &str,
        route: &Route,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        let mut names = Vec::new();
        for reference in &route.middlewares {
            match self.named("Middleware", &self.middlewares, namespace, reference) {
                Ok(name) => names.push(name),
                Err(message) => {
                    findings.push(about(label, reference, message));
                }
            }
        }
        names
    }

    fn router_tls(
        &self,
        namespace: &str,
        label: &str,
        tls: &Tls,
        findings: &mut Vec<Diagnostic>,
    ) -> RouterTls {
        let options = tls
            .options
            .as_ref()
            .filter(|options| options.name != "default");
        let options = options.map(|reference| {
            match self.named("TLSOption", &self.tls_options, namespace, reference) {
                Ok(name) => name,
                Err(message) => {
                    findings.push(about(label, reference, message));
                    reference.name.clone()
                }
            }
        });
        RouterTls {
            options,
            cert_resolver: tls.cert_resolver.clone(),
            domains: tls.domains.clone(),
        }
    }
}
