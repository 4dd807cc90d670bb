//! Secrets that the middlewares of a file name instead of holding: `urn:file:PATH` is the text of a
//! file without its last end of line, `urn:env:NAME` that of an environment variable. A file that
//! is named so is watched like the configuration. Objects of Kubernetes have references of their
//! own and cannot use these: who may write objects may not read the gateway's files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use carnet_config::diagnostics::{Diagnostic, Object, Position, Severity};
use carnet_config::document::{Member, Node, Value};
use carnet_config::nearest::suggestion;
use carnet_config::routing::RoutingConfig;

use crate::references::replace;

/// The right of everybody to read.
const FOR_OTHERS: u32 = 0o004;

/// What is there to be named.
pub(super) struct Secrets<'a> {
    pub(super) env: &'a BTreeMap<String, String>,
    /// Gives the text of a file, or why it has none.
    pub(super) read: &'a mut dyn FnMut(&str) -> Result<String, String>,
}

/// References that lead nowhere, by the middleware that has them.
pub(super) type Dangling = BTreeMap<String, Vec<Diagnostic>>;

impl Secrets<'_> {
    /// Replaces the references of the document's middlewares.
    pub(super) fn fill(&mut self, root: &mut Node) -> Dangling {
        let mut dangling = Dangling::new();
        let http = within(root, "http");
        let middlewares = http.flat_map(|http| within(http, "middlewares"));
        for member in middlewares.flat_map(members) {
            member.value = self.fill_one(&member.key, &member.value, &mut dangling);
        }
        dangling
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

/// What is to be said of a file with a secret that everybody may read. Clusters mount Secrets so:
/// it is told of, not refused.
pub(super) fn open(path: &str) -> Option<Diagnostic> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & FOR_OTHERS != 0).then(|| Diagnostic {
        severity: Severity::Warning,
        object: String::new(),
        key: String::new(),
        message: "everybody on this machine can read this secret; chmod 600 it".to_owned(),
        position: Some(Position {
            source: path.into(),
            line: 0,
            column: 0,
        }),
    })
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

/// The members of this name, whatever its case.
fn within<'a>(node: &'a mut Node, name: &'a str) -> impl Iterator<Item = &'a mut Node> {
    members(node)
        .filter(move |member| member.key.eq_ignore_ascii_case(name))
        .map(|member| &mut member.value)
}

/// The members of a map; anything else has none.
fn members(node: &mut Node) -> std::slice::IterMut<'_, Member> {
    match &mut node.value {
        Value::Map(members) => members.iter_mut(),
        _ => [].iter_mut(),
    }
}
