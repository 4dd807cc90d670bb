//! The configurations of several providers as one: every name and reference carries its provider,
//! `whoami@file`, so that nobody's objects can stand in for another's.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Object, Severity};
use crate::routing::{Middleware, Router, RoutingConfig, Service, Tls};

/// Name of the TLS options and the certificate store that belong to no provider.
const DEFAULT: &str = "default";

/// Merges what each provider (`file`, `kubernetescrd`) said. A reference that names its provider
/// already is kept. Of two objects of one name the first stays, and a warning tells it.
pub fn merge(providers: Vec<(String, RoutingConfig)>) -> RoutingConfig {
    let mut merged = RoutingConfig::default();
    for (provider, config) in providers {
        let provider = Provider(&provider);
        let twice = &mut merged.diagnostics;
        provider.add(
            "router",
            &mut merged.routers,
            config.routers.into_inner(),
            twice,
            |router| {
                provider.router(router);
            },
        );
        provider.add(
            "service",
            &mut merged.services,
            config.services,
            twice,
            |service| {
                provider.service(service);
            },
        );
        let middlewares = config.middlewares.into_inner();
        provider.add(
            "middleware",
            &mut merged.middlewares,
            middlewares,
            twice,
            |middleware| provider.middleware(middleware),
        );
        let transports = config.servers_transports.into_inner();
        let all = &mut merged.servers_transports;
        provider.add("serversTransport", all, transports, twice, |_| {});
        provider.add_tls(&mut merged, config.tls.into_inner());
        merged.diagnostics.extend(config.diagnostics);
    }
    warn_once(&mut merged.middlewares);
    merged
}

/// What is to be said about a URL is said at the first object that names it.
fn warn_once(middlewares: &mut BTreeMap<String, Object<Middleware>>) {
    let mut seen = BTreeSet::new();
    for object in middlewares.values_mut() {
        let Some(Middleware::OAuthClientCredentials(options)) = &object.value else {
            continue;
        };
        if !seen.insert(options.url.clone()) {
            let is_said = |finding: &Diagnostic| {
                finding.severity == Severity::Warning && finding.key.ends_with("url")
            };
            object.diagnostics.retain(|finding| !is_said(finding));
        }
    }
}

fn finding(object: &str, key: &str, message: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object: object.to_owned(),
        key: key.to_owned(),
        message,
        position: None,
    }
}

type Named<T> = BTreeMap<String, Object<T>>;

/// The object that is everybody's, and the others.
fn split_default<T>(mut own: Named<T>) -> (Option<Object<T>>, Named<T>) {
    (own.remove(DEFAULT), own)
}

fn add_default<T>(object: &str, all: &mut Named<T>, default: Option<Object<T>>) {
    let Some(default) = default else {
        return;
    };
    match all.get_mut(DEFAULT) {
        None => {
            all.insert(DEFAULT.to_owned(), default);
        }
        Some(first) => {
            let message = "is given by several providers; leave it to one of them";
            let twice = finding(object, "", message.to_owned());
            first.diagnostics.push(twice);
        }
    }
}

struct Provider<'a>(&'a str);

impl Provider<'_> {
    fn add<T>(
        &self,
        noun: &str,
        all: &mut BTreeMap<String, Object<T>>,
        own: BTreeMap<String, Object<T>>,
        twice: &mut Vec<Diagnostic>,
        qualify_references: impl Fn(&mut T),
    ) {
        for (name, mut object) in own {
            let name = self.qualified(&name);
            if all.contains_key(&name) {
                let message = "is given twice; the first stays";
                let finding = finding(&format!("{noun} {name}"), "", message.to_owned());
                twice.push(Diagnostic {
                    severity: Severity::Warning,
                    ..finding
                });
                continue;
            }
            if let Some(value) = &mut object.value {
                qualify_references(value);
            }
            all.insert(name, object);
        }
    }

    /// Certificates belong to all. The options and the store `default` have no provider in their
    /// name; two providers that both declare them close them (Traefik's rule).
    fn add_tls(&self, merged: &mut RoutingConfig, own: Tls) {
        merged.tls.certificates.extend(own.certificates);
        let twice = &mut merged.diagnostics;
        let (default, named) = split_default(own.options);
        let options = &mut merged.tls.options;
        self.add("tls option", options, named, twice, |_| {});
        add_default("tls option default", options, default);
        let (default, named) = split_default(own.stores);
        let stores = &mut merged.tls.stores;
        self.add("tls store", stores, named, twice, |_| {});
        add_default("tls store default", stores, default);
    }

    fn router(&self, router: &mut Router) {
        for middleware in &mut router.middlewares {
            self.qualify(middleware);
        }
        self.qualify(&mut router.service);
        // `default` belongs to nobody.
        if let Some(options) = router.tls.as_mut().and_then(|tls| tls.options.as_mut())
            && options != DEFAULT
        {
            self.qualify(options);
        }
    }

    fn middleware(&self, middleware: &mut Middleware) {
        match middleware {
            Middleware::Chain(chain) => {
                for middleware in &mut chain.middlewares {
                    self.qualify(middleware);
                }
            }
            Middleware::Errors(errors) => self.qualify(&mut errors.service),
            Middleware::Oidc(oidc) => {
                if let Some(bearer) = &mut oidc.bearer {
                    self.qualify(bearer);
                }
            }
            _ => {}
        }
    }

    fn service(&self, service: &mut Service) {
        if let Service::Guarded(guarded) = service {
            for middleware in &mut guarded.middlewares {
                self.qualify(middleware);
            }
            return self.service(&mut guarded.service);
        }
        if let Service::LoadBalancer(balancer) = service
            && let Some(transport) = &mut balancer.servers_transport
        {
            self.qualify(transport);
        }
        for child in service.children() {
            self.qualify(child);
        }
    }

    fn qualify(&self, name: &mut String) {
        if !name.is_empty() {
            *name = self.qualified(name);
        }
    }

    fn qualified(&self, name: &str) -> String {
        if name.contains('@') {
            name.to_owned()
        } else {
            format!("{name}@{}", self.0)
        }
    }
}
