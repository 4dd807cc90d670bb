//! Ingresses to routers. Their Middlewares, TLSOptions and ServersTransports are those of
//! `providers.kubernetesCRD`, which they name as that provider does: `namespace-name@kubernetescrd`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::{Router, Service};
use carnet_config::rule::Rule;

use super::reference::is_own;
use super::service::Backend;
use super::tls::about;
use super::{IngressOptions, Translation, finding};
use crate::kubernetes::NAME;
use crate::kubernetes::crd::{Reference, ServiceEntry};
use crate::kubernetes::ingress::{self, Ingress, Path, ServiceOptions};
use crate::kubernetes::objects::ObjectName;

/// The controller whose IngressClasses are ours.
const CONTROLLER: &str = "traefik.io/ingress-controller";
/// What the annotation says when no class is configured.
const DEFAULT_CLASS: &str = "traefik";
/// Rank of the default backend: behind everything.
const LAST: i64 = i32::MIN as i64;

/// Namespaces of objects, by what they are called in the routing configuration.
type Owners = BTreeMap<String, String>;

/// A translation of Ingresses under way.
pub(super) struct Ingresses<'a, 'b> {
    translation: &'b mut Translation<'a>,
    options: &'b IngressOptions,
    middlewares: Owners,
    tls_options: Owners,
    servers_transports: Owners,
}

fn owners(names: &BTreeMap<ObjectName, String>) -> Owners {
    let names = names.iter();
    names
        .map(|(object, name)| (name.clone(), object.namespace.clone()))
        .collect()
}

impl<'a, 'b> Ingresses<'a, 'b> {
    pub(super) fn new(translation: &'b mut Translation<'a>, options: &'b IngressOptions) -> Self {
        Self {
            options,
            middlewares: owners(&translation.middlewares),
            tls_options: owners(&translation.tls_options),
            servers_transports: owners(&translation.servers_transports),
            translation,
        }
    }

    pub(super) fn translate(&mut self) {
        let mut seen = BTreeSet::new();
        let objects = self.translation.objects;
        for (name, object) in &objects.ingresses {
            let label = format!("Ingress {name}");
            match &object.value {
                Some(ingress) if !self.serves_class(ingress) => {}
                Some(ingress) if !self.is_wanted(name, ingress) => {}
                Some(ingress) => {
                    for reference in &ingress.secrets {
                        let namespace = &name.namespace;
                        self.translation
                            .show(&label, namespace, reference, &mut seen);
                    }
                    for path in &ingress.paths {
                        self.path(name, ingress, path, &object.diagnostics);
                    }
                    if let Some(backend) = &ingress.default_backend {
                        self.default_backend(name, ingress, backend, &object.diagnostics);
                    }
                }
                // It has no rule: it is only told of.
                None => self.tell(name, object.diagnostics.clone()),
            }
        }
    }

    fn is_wanted(&self, name: &ObjectName, ingress: &Ingress) -> bool {
        let Some(only) = &self.translation.only else {
            return true;
        };
        let paths = ingress.paths.iter().filter_map(|path| path.value.as_ref());
        let backends = paths.filter_map(|path| path.backend.as_ref());
        let mut backends = backends.chain(&ingress.default_backend);
        let namespace = name.namespace.as_str();
        backends.any(|one| only.contains(&(namespace, one.service.name.as_str())))
    }

    fn tell(&mut self, name: &ObjectName, diagnostics: Vec<Diagnostic>) {
        let wanted = format!("{}-{}", name.namespace, name.name);
        let key = self
            .translation
            .names
            .routers
            .claim(&wanted, &name.to_string());
        let closed = Object {
            value: None,
            diagnostics,
        };
        self.translation.config.routers.insert(key, closed);
    }

    /// A class by name must be of our controller; the annotation must say what is configured.
    fn serves_class(&self, ingress: &Ingress) -> bool {
        let served = self.translation.options.ingress_class.as_deref();
        let served = served.filter(|class| !class.is_empty());
        if let Some(class) = &ingress.class_name {
            let controller = self.translation.objects.ingress_classes.get(class);
            return controller.is_some_and(|controller| controller == CONTROLLER)
                && served.is_none_or(|served| served == class);
        }
        let class = ingress.class_annotation.as_deref().unwrap_or_default();
        match served {
            Some(served) => class == served,
            None => class.is_empty() || class == DEFAULT_CLASS,
        }
    }

    fn path(
        &mut self,
        name: &ObjectName,
        ingress: &Ingress,
        path: &Object<Path>,
        shared: &[Diagnostic],
    ) {
        let mut findings = shared.to_vec();
        findings.extend(path.diagnostics.iter().cloned());
        let Some(path) = &path.value else { return };
        let label = format!("Ingress {name}");
        let rule = path.rule(
            ingress.router.path_matcher,
            self.options.strict_prefix_matching,
        );
        let rule = rule.map_err(|(key, message)| {
            let key = format!("{}.{key}", path.key);
            findings.push(finding(
                Severity::Error,
                &label,
                &key,
                &path.position,
                message,
            ));
        });
        let host = path.host.as_deref().unwrap_or_default();
        let wanted = format!("{}-{}-{host}{}", name.namespace, name.name, path.path);
        let owner = format!("{name} {host} {} {:?}", path.path, path.kind);
        let claims = &mut self.translation.names.routers;
        let key = claims.claim(&wanted, &owner);
        if self.translation.config.routers.contains_key(&key) {
            let message = "an earlier path has the same rule and is not served".to_owned();
            findings.push(finding(
                Severity::Warning,
                &label,
                &path.key,
                &path.position,
                message,
            ));
        }
        let router = self.router(name, ingress, rule.ok(), &mut findings);
        let service = self.service(&label, name, &key, path.backend.as_ref());
        let router = Router {
            service,
            position: Some(path.position.clone()),
            ..router
        };
        self.put(key, router, findings);
    }

    /// There is one in all the cluster.
    fn default_backend(
        &mut self,
        name: &ObjectName,
        ingress: &Ingress,
        backend: &ingress::Backend,
        shared: &[Diagnostic],
    ) {
        let label = format!("Ingress {name}");
        let key = "default-router".to_owned();
        if self.translation.config.routers.contains_key(&key) {
            let message = "another Ingress has one, which is served".to_owned();
            let (at, position) = ("spec.defaultBackend", &backend.service.position);
            let twice = finding(Severity::Error, &label, at, position, message);
            return self.tell(name, vec![twice]);
        }
        let mut findings = shared.to_vec();
        let everything = ingress::everything();
        let router = self.router(name, ingress, everything, &mut findings);
        let router = Router {
            service: self.service(&label, name, &key, Some(backend)),
            priority: Some(LAST),
            position: Some(backend.service.position.clone()),
            ..router
        };
        self.put(key, router, findings);
    }

    fn put(&mut self, key: String, router: Router, diagnostics: Vec<Diagnostic>) {
        let object = Object {
            value: Some(router),
            diagnostics,
        };
        self.translation.config.routers.insert(key, object);
    }

    /// All but the service.
    fn router(
        &self,
        name: &ObjectName,
        ingress: &Ingress,
        rule: Option<Rule>,
        findings: &mut Vec<Diagnostic>,
    ) -> Router {
        let label = format!("Ingress {name}");
        let options = &ingress.router;
        let mut check = |kind, owners, reference: &Reference| {
            if let Err(message) = self.check(kind, owners, &name.namespace, reference) {
                findings.push(about(&label, reference, message));
            }
        };
        for reference in &options.middlewares {
            check("Middleware", &self.middlewares, reference);
        }
        if let Some(reference) = &options.tls_options {
            check("TLSOption", &self.tls_options, reference);
        }
        let middlewares = options.middlewares.iter();
        Router {
            entry_points: options.entry_points.clone(),
            rule_text: rule.as_ref().map(Rule::to_string).unwrap_or_default(),
            rule: rule.map(Arc::new),
            priority: options.priority,
            middlewares: middlewares.map(|one| one.name.clone()).collect(),
            tls: options.tls.clone(),
            observability: options.observability,
            ..Router::default()
        }
    }

    /// Whether an object of `namespace` may name this one. Who names something of another provider,
    /// or of none, is told later, when all providers are known.
    fn check(
        &self,
        kind: &str,
        owners: &Owners,
        namespace: &str,
        reference: &Reference,
    ) -> Result<(), String> {
        let name = &reference.name;
        if !is_own(name) {
            return Ok(());
        }
        let bare = name.strip_suffix(&format!("@{NAME}")).unwrap_or(name);
        match owners.get(bare) {
            None => Err(format!("there is no {kind} that is called `{name}`")),
            Some(owner)
                if owner != namespace && !self.translation.options.allow_cross_namespace =>
            {
                Err(format!(
                    "`{name}` is in another namespace, and allowCrossNamespace of \
                     `providers.kubernetesCRD` is off"
                ))
            }
            Some(_) => Ok(()),
        }
    }

    /// The name of the service of a backend; one that leads nowhere closes its own route.
    fn service(
        &mut self,
        label: &str,
        name: &ObjectName,
        router: &str,
        backend: Option<&ingress::Backend>,
    ) -> String {
        // What is wrong with a backend that could not be read is said already.
        let Some(backend) = backend else {
            return String::new();
        };
        let (entry, transport, mut findings) = self.entry(name, backend);
        match self.translation.backend(&name.namespace, label, &entry) {
            Ok(Backend::Named(name)) => name,
            Ok(Backend::Own(mut object)) => {
                object.diagnostics.append(&mut findings);
                if let Some(Service::LoadBalancer(balancer)) = &mut object.value {
                    balancer.servers_transport = transport;
                }
                self.translation.own_child(&name.namespace, &entry, object)
            }
            Err(finding) => {
                findings.push(finding);
                let claims = &mut self.translation.names.services;
                let key = claims.claim(router, &format!("router {router}"));
                let closed = Object {
                    value: None,
                    diagnostics: findings,
                };
                self.translation.config.services.insert(key.clone(), closed);
                key
            }
        }
    }

    /// A backend as an IngressRoute would have it, with the annotations of its Service. The
    /// transport is named as Traefik's own kinds are not allowed to.
    fn entry(
        &self,
        name: &ObjectName,
        backend: &ingress::Backend,
    ) -> (ServiceEntry, Option<String>, Vec<Diagnostic>) {
        let reference = backend.service.clone();
        let position = &reference.position;
        let key = reference.key.trim_end_matches(".name").to_owned();
        let of = ObjectName::new(&name.namespace, &reference.name);
        let service = self.translation.objects.services.get(&of);
        let annotations = service.and_then(|service| service.metadata.annotations.clone());
        let label = format!("Service {of}");
        let (options, mut findings) =
            ServiceOptions::read(&annotations.unwrap_or_default(), &label, position);
        if let Some(reference) = &options.servers_transport {
            let owners = &self.servers_transports;
            let checked = self.check("ServersTransport", owners, &name.namespace, reference);
            if let Err(message) = checked {
                findings.push(about(&label, reference, message));
            }
        }
        let entry = ServiceEntry {
            port_position: position.clone(),
            key,
            is_traefik_service: false,
            port: backend.port.clone(),
            scheme: options.scheme,
            weight: 1,
            balance: options.balance,
            servers_transport: None,
            native_lb: options.native_lb,
            reference,
        };
        let transport = options.servers_transport.map(|one| one.name);
        (entry, transport, findings)
    }
}
