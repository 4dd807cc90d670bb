//! Secrets that the middlewares of a file name instead of holding: `urn:file:PATH` is the text of a
//! file without its last end of line, `urn:env:NAME` that of an environment variable. A file that
//! is named so is watched like the configuration. Objects of Kubernetes have references of their
//! own and cannot use these: who may write objects may not read the gateway's files.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::document::{Member, Node, Value};
use carnet_config::nearest::suggestion;
use carnet_config::routing::RoutingConfig;

use crate::references::replace;

/// What is there to be named.
pub(super) struct Secrets<'a> {
    pub(super) env: &'a BTreeMap<String, String>,
    /// Gives the text of a file, or why it has none.
    pub(super) read: &'a mut dyn FnMut(&str) -> Result<String, String>,
}

/// References that lead nowhere, by the middleware that has them.
pub(super) type Dangling = BTreeMap<String, Vec<Diagnostic>>;

impl Secrets<'_> {
    /// The document with the references of its middlewares replaced.
    pub(super) fn fill(&mut self, root: &Node) -> (Node, Dangling) {
        let mut dangling = Dangling::new();
        let filled = within(root, "http", &mut |http| {
            within(http, "middlewares", &mut |middlewares| {
                each(middlewares, &mut |name, spec| {
                    self.fill_one(name, spec, &mut dangling)
                })
            })
        });
        (filled, dangling)
    }

    fn fill_one(&mut self, name: &str, spec: &Node, dangling: &mut Dangling) -> Node {
        let mut look_up = |text: &str| self.look_up(text);
        let mut tell = |key: &str, node: &Node, message: String| {
            let found = Diagnostic {
                severity: Severity::Error,
                object: format!("middleware {name}"),
                key: key.trim_start_matches('.').to_owned(),
                message,
                position: Some(node.position.clone()),
            };
            dangling.entry(name.to_owned()).or_default().push(found);
        };
        replace(spec, "", &mut look_up, &mut tell)
    }

    fn look_up(&mut self, text: &str) -> Option<Result<String, String>> {
        if let Some(path) = text.strip_prefix("urn:file:") {
            let text = (self.read)(path);
            let text = text.map_err(|reason| format!("`{path}` cannot be read: {reason}"));
            return Some(text.and_then(|text| secret_of(&text, path)));
        }
        let name = text.strip_prefix("urn:env:")?;
        let value = self.env.get(name).filter(|value| !value.is_empty());
        Some(value.cloned().ok_or_else(|| {
            // Names of variables are no secrets; only those that look alike are told.
            let near = suggestion(name, self.env.keys().map(String::as_str));
            format!("the environment variable `{name}` is not set{near}")
        }))
    }
}

/// Editors end files with a line end, which is no part of a secret.
fn secret_of(text: &str, path: &str) -> Result<String, String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.is_empty() {
        true => Err(format!("`{path}` is empty")),
        false => Ok(text.to_owned()),
    }
}

/// Closes the middlewares whose references lead nowhere.
pub(super) fn close(config: &mut RoutingConfig, dangling: Dangling) {
    for (name, diagnostics) in dangling {
        let object = Object {
            value: None,
            diagnostics,
        };
        config.middlewares.insert(name, object);
    }
}

/// The map with the member of this name, whatever its case, changed.
fn within(node: &Node, name: &str, change: &mut dyn FnMut(&Node) -> Node) -> Node {
    each(
        node,
        &mut |key, value| match key.eq_ignore_ascii_case(name) {
            true => change(value),
            false => value.clone(),
        },
    )
}

/// The map with every member changed; anything else as it is.
fn each(node: &Node, change: &mut dyn FnMut(&str, &Node) -> Node) -> Node {
    let Value::Map(members) = &node.value else {
        return node.clone();
    };
    let changed = members.iter().map(|member| Member {
        value: change(&member.key, &member.value),
        ..member.clone()
    });
    Node {
        position: node.position.clone(),
        value: Value::Map(changed.collect()),
    }
}
