//! Middlewares: references to Secrets are replaced, then the options are read as a file's are.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::document::Node;
use carnet_config::nearest::suggestion;
use carnet_config::routing::{Middleware, middleware};
use secrecy::ExposeSecret;

use super::reference::absent;
use super::{Translation, finding};
use crate::kubernetes::objects::ObjectName;
use crate::kubernetes::secret::Secret;
use crate::references::replace;

/// What a reference begins with: `urn:k8s:secret:NAME:KEY`, in the Middleware's own namespace.
pub(super) const PREFIX: &str = "urn:k8s:secret:";

impl Translation<'_> {
    pub(super) fn translate_middlewares(&mut self) {
        for (name, node) in &self.objects.middlewares {
            let pages = self.error_pages(name, node);
            let object = self.read_middleware(name, node, pages);
            if let Some(key) = self.middlewares.get(name) {
                self.config.middlewares.insert(key.clone(), object);
            }
        }
    }

    /// `pages` is the service of its error pages, or what is wrong with that.
    fn read_middleware(
        &self,
        name: &ObjectName,
        node: &Node,
        pages: Result<Option<String>, Vec<Diagnostic>>,
    ) -> Object<Middleware> {
        let label = format!("Middleware {name}");
        let Some(spec) = node.member("spec") else {
            let message = "`spec` is missing".to_owned();
            return Object {
                value: None,
                diagnostics: vec![finding(
                    Severity::Error,
                    &label,
                    "spec",
                    &node.position,
                    message,
                )],
            };
        };
        let resolver = Resolver {
            secrets: &self.objects.secrets,
            namespace: &name.namespace,
        };
        let (pages, mut diagnostics) = match pages {
            Ok(pages) => (pages, Vec::new()),
            Err(findings) => (None, findings),
        };
        let mut look_up = |text: &str| text.starts_with(PREFIX).then(|| resolver.look_up(text));
        let mut tell = |key: &str, node: &Node, message: String| {
            let position = &node.position;
            diagnostics.push(finding(Severity::Error, &label, key, position, message));
        };
        let spec = replace(spec, "spec", &mut look_up, &mut tell);
        let spec = self.looked_up(spec, (&name.namespace, pages), &mut tell);
        if !diagnostics.is_empty() {
            return Object {
                value: None,
                diagnostics,
            };
        }
        let mut object = middleware::read(&spec, &label);
        for finding in &mut object.diagnostics {
            finding.key = match finding.key.as_str() {
                "" => "spec".to_owned(),
                key => format!("spec.{key}"),
            };
        }
        object
    }
}

/// The Secrets that a Middleware may refer to.
struct Resolver<'a> {
    secrets: &'a BTreeMap<ObjectName, Secret>,
    namespace: &'a str,
}

impl Resolver<'_> {
    fn look_up(&self, reference: &str) -> Result<String, String> {
        let parts: Vec<&str> = reference.split(':').collect();
        let [_, _, _, name, key] = parts.as_slice() else {
            return Err("a reference to a Secret is `urn:k8s:secret:NAME:KEY`".to_owned());
        };
        let name = ObjectName::new(self.namespace, *name);
        let Some(secret) = self.secrets.get(&name) else {
            return Err(absent("Secret", &name, self.secrets.keys()));
        };
        match secret.text(key) {
            Some(text) => Ok(text.expose_secret().to_owned()),
            None => {
                let near = suggestion(key, secret.keys());
                Err(format!("Secret {name} has no text under `{key}`{near}"))
            }
        }
    }
}
