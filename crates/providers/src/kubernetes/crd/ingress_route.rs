//! `IngressRoute`: HTTP routers.

use carnet_config::diagnostics::{Object, Position};
use carnet_config::document::{Fields, Node, Spelling, Value};
use carnet_config::routing::router::{Matching, RouterTls};

use super::{Reference, ServiceEntry, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `IngressRoute.spec`.
#[derive(Debug, Clone, PartialEq)]
pub struct IngressRoute {
    /// `entryPoints`; empty means the default ones.
    pub entry_points: Vec<String>,
    /// `ingressClassName`, or the annotation `kubernetes.io/ingress.class`.
    pub ingress_class: Option<String>,
    /// `routes`: a broken one closes itself alone.
    pub routes: Vec<Object<Route>>,
    /// `tls`; its presence makes routers that take TLS connections only.
    pub tls: Option<Tls>,
}

/// `routes[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// `match`, `priority`, `observability`.
    pub matching: Matching,
    /// `middlewares`, in order.
    pub middlewares: Vec<Reference>,
    /// `services`.
    pub services: Vec<ServiceEntry>,
    /// Dotted path of the route: `spec.routes[0]`.
    pub key: String,
    /// Where the route stands.
    pub position: Position,
}

/// `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `options`.
    pub options: Option<Reference>,
    /// `certResolver`.
    pub cert_resolver: Option<String>,
    /// `domains`: what the resolver asks certificates for.
    pub domains: Vec<Vec<String>>,
    /// `secretName`: the certificate of its hosts.
    pub secret: Option<Reference>,
}

impl IngressRoute {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let label = object.identity.to_string();
        let value = Self {
            entry_points: fields.texts("entryPoints"),
            ingress_class: fields
                .text("ingressClassName")
                .or_else(|| annotation(object)),
            routes: routes(&mut fields, &label),
            tls: fields.map("tls", Tls::read),
        };
        fields.not_yet("IngressRoute.spec");
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}

fn annotation(object: &ManifestObject) -> Option<String> {
    let annotations = object.node.member("metadata")?.member("annotations")?;
    let class = annotations.member("kubernetes.io/ingress.class")?;
    class.scalar().map(str::to_owned)
}

fn routes(fields: &mut Fields<'_>, label: &str) -> Vec<Object<Route>> {
    let items = match fields.node("routes").map(|node| &node.value) {
        Some(Value::List(items)) if !items.is_empty() => items.as_slice(),
        _ => {
            fields.error("routes", "expects a list of one route or more");
            return Vec::new();
        }
    };
    let read = |(index, item)| {
        let key = fields.dotted(&format!("routes[{index}]"));
        Route::read(item, label, key)
    };
    items.iter().enumerate().map(read).collect()
}

impl Route {
    fn read(node: &Node, label: &str, key: String) -> Object<Self> {
        let mut fields = Fields::below(node, label.to_owned(), key.clone(), Spelling::Exact);
        let value = Self {
            matching: Matching::read(&mut fields, "match", "syntax"),
            middlewares: flatten(fields.maps("middlewares", Reference::read)),
            services: flatten(fields.maps("services", ServiceEntry::read)),
            key,
            position: node.position.clone(),
        };
        if value.services.is_empty() {
            fields.error("services", "expects a list of one service or more");
        }
        match fields.text("kind").as_deref() {
            None | Some("Rule") => {}
            Some(_) => fields.error("kind", "expects `Rule`"),
        }
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}

fn flatten<T>(items: Vec<Option<T>>) -> Vec<T> {
    items.into_iter().flatten().collect()
}

impl Tls {
    fn read(fields: &mut Fields<'_>) -> Self {
        // There is one store.
        fields.map("store", Reference::read);
        Self {
            domains: RouterTls::domains(fields),
            options: fields.map("options", Reference::read).flatten(),
            cert_resolver: fields.text("certResolver"),
            secret: Reference::plain(fields, "secretName"),
        }
    }
}
