//! Middlewares: references to Secrets are replaced, then the options are read as a file's are.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::document::{Member, Node, Value};
use carnet_config::nearest::suggestion;
use carnet_config::routing::{Middleware, middleware};
use secrecy::ExposeSecret;

use super::reference::absent;
use super::{Translation, finding};
use crate::kubernetes::objects::ObjectName;
use crate::kubernetes::secret::Secret;

/// What a reference begins with: `urn:k8s:secret:NAME:KEY`, in the Middleware's own namespace.
const PREFIX: &str = "urn:k8s:secret:";

impl Translation<'_> {
    pub(super) fn translate_middlewares(&mut self) {
        for (name, node) in &self.objects.middlewares {
            let object = self.read_middleware(name, node);
            if let Some(key) = self.middlewares.get(name) {
                self.config.middlewares.insert(key.clone(), object);
            }
        }
    }

    fn read_middleware(&self, name: &ObjectName, node: &Node) -> Object<Middleware> {
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
        let mut resolver = Resolver {
            secrets: &self.objects.secrets,
            namespace: &name.namespace,
            label: &label,
            findings: Vec::new(),
        };
        let spec = resolver.resolve(spec, "spec");
        if !resolver.findings.is_empty() {
            return Object {
                value: None,
                diagnostics: resolver.findings,
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

/// Replaces references in a tree.
struct Resolver<'a> {
    secrets: &'a BTreeMap<ObjectName, Secret>,
    namespace: &'a str,
    label: &'a str,
    findings: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn resolve(&mut self, node: &Node, key: &str) -> Node {
        let value = match &node.value {
            Value::Text(text) if text.starts_with(PREFIX) => match self.look_up(text) {
                Ok(secret) => Value::Text(secret),
                Err(message) => {
                    let (label, position) = (self.label, &node.position);
                    let finding = finding(Severity::Error, label, key, position, message);
                    self.findings.push(finding);
                    Value::Null
                }
            },
            Value::List(items) => Value::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.resolve(item, &format!("{key}[{index}]")))
                    .collect(),
            ),
            Value::Map(members) => Value::Map(
                members
                    .iter()
                    .map(|member| Member {
                        value: self.resolve(&member.value, &format!("{key}.{}", member.key)),
                        ..member.clone()
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            position: node.position.clone(),
            value,
        }
    }

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
