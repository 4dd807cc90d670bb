//! Traefik's annotations: `traefik.ingress.kubernetes.io/router.*` of Ingresses and `service.*` of
//! Services, read as the flags of the same names are.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Position};
use carnet_config::document::{Fields, Node, Spelling, Tree, Value};
use carnet_config::routing::router::{Observability, RouterTls};
use carnet_config::routing::service::LoadBalancer;

use super::PathMatcher;
use super::rule::MATCHERS;
use crate::kubernetes::crd::Reference;
use crate::kubernetes::manifests::ManifestObject;

/// What the names of Traefik's annotations begin with.
const PREFIX: &str = "traefik.ingress.kubernetes.io/";
/// Says whose an Ingress is, where `ingressClassName` does not.
const CLASS: &str = "kubernetes.io/ingress.class";

/// `router.*` of an Ingress: for all of its routers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouterOptions {
    /// `router.entrypoints`; empty means the default ones.
    pub entry_points: Vec<String>,
    /// `router.middlewares`: `namespace-name@kubernetescrd`, `name@file`.
    pub middlewares: Vec<Reference>,
    /// `router.priority`.
    pub priority: Option<i64>,
    /// `router.pathmatcher`: of paths whose type is ImplementationSpecific.
    pub path_matcher: PathMatcher,
    /// `router.tls`, `router.tls.certresolver`, `router.tls.domains.N.main` and `sans`.
    pub tls: Option<RouterTls>,
    /// `router.tls.options`.
    pub tls_options: Option<Reference>,
    /// `router.observability.*`.
    pub observability: Observability,
}

/// `service.*` of a Service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceOptions {
    /// `service.sticky.cookie.*`, `service.passhostheader`, and the other options of an
    /// IngressRoute's services.
    pub balance: LoadBalancer,
    /// `service.serversscheme`.
    pub scheme: Option<String>,
    /// `service.serverstransport`: `namespace-name@kubernetescrd`, `name@file`.
    pub servers_transport: Option<Reference>,
    /// `service.nativelb`.
    pub native_lb: Option<bool>,
}

/// The class that the annotation names.
pub(super) fn class(object: &ManifestObject) -> Option<String> {
    let annotations = object.node.member("metadata")?.member("annotations")?;
    annotations.member(CLASS)?.scalar().map(str::to_owned)
}

impl RouterOptions {
    pub(super) fn read(object: &ManifestObject) -> (Self, Vec<Diagnostic>) {
        let metadata = object.node.member("metadata");
        let annotations = metadata.and_then(|metadata| metadata.member("annotations"));
        let node = annotations.unwrap_or(&object.node);
        let texts = annotations.into_iter().flat_map(Node::members);
        let texts = texts.filter_map(|one| Some((one.key.as_str(), one.value.scalar()?)));
        let tree = tree(texts, node.position.clone());
        read(tree, &object.identity.to_string(), "router", Self::of)
    }

    fn of(fields: &mut Fields<'_>) -> Self {
        // Traefik 2's way of naming the syntax of rules that nobody writes here.
        fields.text("ruleSyntax");
        let tls_options = fields.map("tls", |tls| {
            let options = Reference::plain(tls, "options");
            let read = RouterTls::read(tls);
            (options, read)
        });
        let (tls_options, tls) = tls_options.unzip();
        Self {
            entry_points: fields.texts("entryPoints"),
            middlewares: Reference::list(fields, "middlewares"),
            priority: fields.integer("priority"),
            path_matcher: fields.word("pathMatcher", &MATCHERS).unwrap_or_default(),
            tls,
            tls_options: tls_options.flatten(),
            observability: fields
                .map("observability", Observability::read)
                .unwrap_or_default(),
        }
    }
}

impl ServiceOptions {
    /// Those of a Service's annotations.
    pub(in crate::kubernetes) fn read(
        annotations: &BTreeMap<String, String>,
        label: &str,
        position: &Position,
    ) -> (Self, Vec<Diagnostic>) {
        let texts = annotations.iter();
        let texts = texts.map(|(name, value)| (name.as_str(), value.as_str()));
        let tree = tree(texts, position.clone());
        read(tree, label, "service", |fields| {
            let value = Self {
                balance: LoadBalancer::read_balance(fields),
                scheme: fields.text("serversScheme"),
                servers_transport: Reference::plain(fields, "serversTransport"),
                native_lb: fields.boolean("nativeLB"),
            };
            if fields.boolean("nodePortLB") == Some(true) {
                fields.error("nodePortLB", "is not served; remove it");
            }
            value
        })
    }
}

/// What one branch of the annotations says; the others are for objects of another kind.
fn read<T>(
    tree: Tree,
    label: &str,
    branch: &str,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> (T, Vec<Diagnostic>) {
    let tree = tree.finish();
    let nothing = Node {
        position: tree.position.clone(),
        value: Value::Null,
    };
    let options = tree.member(branch).unwrap_or(&nothing);
    let path = format!("metadata.annotations.{PREFIX}{branch}");
    let mut fields = Fields::below(options, label.to_owned(), path, Spelling::Flags);
    let value = read(&mut fields);
    (value, fields.finish())
}

fn tree<'a>(annotations: impl Iterator<Item = (&'a str, &'a str)>, position: Position) -> Tree {
    let mut tree = Tree::new(position);
    for (name, value) in annotations {
        if let Some(name) = name.strip_prefix(PREFIX) {
            let path: Vec<String> = name.to_lowercase().split('.').map(str::to_owned).collect();
            tree.insert(&path, value);
        }
    }
    tree
}
