//! `Ingress` of `networking.k8s.io/v1` as it is written, with Traefik's annotations, checked key by
//! key, references not yet looked up.
//!
//! Knows nothing of other objects; [`super::translate_ingresses()`] does. Rules are made of matchers,
//! never of text (`rule.rs`): a host or a path that looks like a rule is still a host or a path.

use carnet_config::diagnostics::{Object, Position};
use carnet_config::document::{Fields, Node, Spelling, Value};

use super::crd::{Reference, ServicePort, spec};
use super::manifests::ManifestObject;

mod annotations;
mod rule;

pub use annotations::{RouterOptions, ServiceOptions};
pub use rule::PathMatcher;
pub(super) use rule::everything;

/// An Ingress.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingress {
    /// `spec.ingressClassName`.
    pub class_name: Option<String>,
    /// The annotation `kubernetes.io/ingress.class`.
    pub class_annotation: Option<String>,
    /// The annotations `traefik.ingress.kubernetes.io/router.*`.
    pub router: RouterOptions,
    /// `spec.defaultBackend`.
    pub default_backend: Option<Backend>,
    /// The paths of all rules, in order: a broken one closes itself alone.
    pub paths: Vec<Object<Path>>,
    /// `spec.tls[].secretName`: certificates of its hosts.
    pub secrets: Vec<Reference>,
}

/// `spec.rules[].http.paths[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// `host` of its rule.
    pub host: Option<String>,
    /// `path`; empty means all of them.
    pub path: String,
    /// `pathType`.
    pub kind: PathType,
    /// `backend`.
    pub backend: Option<Backend>,
    /// Dotted path: `spec.rules[0].http.paths[0]`.
    pub key: String,
    /// Where it stands.
    pub position: Position,
}

/// `pathType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathType {
    /// The whole path.
    Exact,
    /// What begins so.
    Prefix,
    /// As the annotation `router.pathmatcher` says; without it as Prefix.
    #[default]
    ImplementationSpecific,
}

/// `backend`: a Service and a port of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// `service.name`.
    pub service: Reference,
    /// `service.port`.
    pub port: Option<ServicePort>,
}

const PATH_TYPES: [(&str, PathType); 3] = [
    ("Exact", PathType::Exact),
    ("Prefix", PathType::Prefix),
    ("ImplementationSpecific", PathType::ImplementationSpecific),
];

impl Ingress {
    pub(super) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let class_name = fields.text("ingressClassName");
        let default_backend = fields.map("defaultBackend", Backend::read).flatten();
        let label = object.identity.to_string();
        let paths = fields.maps("rules", |rule| Path::of_rule(rule, &label));
        let secrets = fields.maps("tls", |tls| {
            // Which certificate is shown, certificates themselves say.
            tls.texts("hosts");
            Reference::plain(tls, "secretName")
        });
        let mut diagnostics = fields.finish();
        let (router, more) = RouterOptions::read(object);
        diagnostics.extend(more);
        let value = Self {
            class_name,
            class_annotation: annotations::class(object),
            router,
            default_backend,
            paths: paths.into_iter().flatten().collect(),
            secrets: secrets.into_iter().flatten().collect(),
        };
        Object {
            value: Some(value),
            diagnostics,
        }
    }
}

impl Path {
    fn of_rule(fields: &mut Fields<'_>, label: &str) -> Vec<Object<Self>> {
        let host = fields.text("host").filter(|host| !host.is_empty());
        let paths = fields.map("http", |http| {
            let items = match http.node("paths").map(|node| &node.value) {
                Some(Value::List(items)) => items.as_slice(),
                _ => {
                    http.error("paths", "expects a list of paths");
                    &[]
                }
            };
            let read = |(index, item)| {
                let key = http.dotted(&format!("paths[{index}]"));
                Self::read(item, label, key, host.clone())
            };
            items.iter().enumerate().map(read).collect()
        });
        paths.unwrap_or_default()
    }

    fn read(node: &Node, label: &str, key: String, host: Option<String>) -> Object<Self> {
        let mut fields = Fields::below(node, label.to_owned(), key.clone(), Spelling::Exact);
        let value = Self {
            host,
            path: fields.text("path").unwrap_or_default(),
            kind: fields.word("pathType", &PATH_TYPES).unwrap_or_default(),
            backend: fields.map("backend", Backend::read).flatten(),
            key,
            position: node.position.clone(),
        };
        if !fields.has("backend") {
            fields.error("backend", "`backend` is missing");
        }
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}

impl Backend {
    /// `None`, and an error, where it is no Service.
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if fields.has("resource") {
            fields.error("resource", "only a `service` can be served");
            return None;
        }
        let backend = fields.map("service", |service| {
            let port = service.map("port", |port| {
                let number = port.number("number").map(ServicePort::Number);
                number.or_else(|| port.text("name").map(ServicePort::Name))
            });
            Some(Self {
                service: Reference::read(service)?,
                port: port.flatten(),
            })
        });
        if backend.is_none() {
            fields.error("service", "`service` is missing");
        }
        backend.flatten()
    }
}
