//! `IngressRoute`: HTTP routers.

use carnet_config::diagnostics::{Object, Position};
use carnet_config::document::{Fields, Node, Spelling, Value};
use carnet_config::rule::{self, Rule};

use super::{Reference, ServiceEntry};
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
    /// `match` as written.
    pub rule_text: String,
    /// `match`; `None` when it does not parse.
    pub rule: Option<Rule>,
    /// `priority`.
    pub priority: Option<i64>,
    /// `middlewares`, in order.
    pub middlewares: Vec<Reference>,
    /// `services`.
    pub services: Vec<ServiceEntry>,
    /// `observability.accessLogs`. Default true.
    pub access_logs: bool,
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
}

impl IngressRoute {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let Some(spec) = object.node.member("spec") else {
            return Object {
                value: None,
                diagnostics: vec![object.finding(&["spec"], "`spec` is missing")],
            };
        };
        let label = object.identity.to_string();
        let mut fields = Fields::below(spec, label, "spec".to_owned(), Spelling::Exact);
        let value = Self {
            entry_points: fields.texts("entryPoints"),
            ingress_class: fields
                .text("ingressClassName")
                .or_else(|| annotation(object)),
            routes: routes(&mut fields),
            tls: fields.map("tls", Tls::read),
        };
        if fields.has("parentRefs") {
            fields.error(
                "parentRefs",
                "routes of routes are not served; write one rule",
            );
        }
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

fn routes(fields: &mut Fields<'_>) -> Vec<Object<Route>> {
    let label = fields.object().to_owned();
    let items = match fields.node("routes").map(|node| &node.value) {
        Some(Value::List(items)) if !items.is_empty() => items.as_slice(),
        _ => {
            fields.error("routes", "expects a list of one route or more");
            return Vec::new();
        }
    };
    let read = |(index, item)| {
        let key = fields.dotted(&format!("routes[{index}]"));
        Route::read(item, &label, key)
    };
    items.iter().enumerate().map(read).collect()
}

impl Route {
    fn read(node: &Node, label: &str, key: String) -> Object<Self> {
        let mut fields = Fields::below(node, label.to_owned(), key.clone(), Spelling::Exact);
        let (rule_text, rule) = read_rule(&mut fields);
        let value = Self {
            rule_text,
            rule,
            priority: fields.integer("priority"),
            middlewares: flatten(fields.maps("middlewares", Reference::read)),
            services: flatten(fields.maps("services", ServiceEntry::read)),
            access_logs: fields.map("observability", access_logs).unwrap_or(true),
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
        match fields.text("syntax").as_deref() {
            None | Some("" | "v3") => {}
            Some(_) => fields.error("syntax", "only `v3` is served; rewrite the rule"),
        }
        Object {
            value: Some(value),
            diagnostics: fields.finish(),
        }
    }
}

fn read_rule(fields: &mut Fields<'_>) -> (String, Option<Rule>) {
    let Some(text) = fields.required_text("match") else {
        return (String::new(), None);
    };
    match rule::parse(&text) {
        Ok(rule) => (text, Some(rule)),
        Err(error) => {
            fields.error("match", error.to_string());
            (text, None)
        }
    }
}

fn access_logs(fields: &mut Fields<'_>) -> bool {
    // Metrics and traces have no switch per router yet; both are harmless.
    for key in ["metrics", "tracing", "traceVerbosity"] {
        fields.node(key);
    }
    fields.boolean("accessLogs").unwrap_or(true)
}

fn flatten<T>(items: Vec<Option<T>>) -> Vec<T> {
    items.into_iter().flatten().collect()
}

impl Tls {
    fn read(fields: &mut Fields<'_>) -> Self {
        for key in ["secretName", "store", "domains"] {
            if fields.has(key) {
                let message = "certificates of Secrets are not served yet; the default one answers";
                fields.warn(key, message);
            }
        }
        Self {
            options: fields.map("options", Reference::read).flatten(),
            cert_resolver: fields.text("certResolver"),
        }
    }
}
