//! Typed reading of a map: every option is asked for by name, what was never asked for is an error.
//!
//! Reading is as weak as Traefik's: a number stands for its text, a text for a number or boolean,
//! one value for a list. Messages name keys and types, never values: a value may be a secret.

use std::collections::BTreeSet;

use super::{Member, Node, Value};
use crate::diagnostics::{Diagnostic, Position, Severity};
use crate::nearest::{nearest, suggestion};
use crate::not_yet;

mod duration;
mod nested;
mod scalars;
mod words;

/// How names and values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// To the letter, as in Kubernetes objects.
    Exact,
    /// Whatever the case, as in Traefik's files and plugin options.
    AnyCase,
    /// Command-line flags: whatever the case, `true` stands for a map without options, the last
    /// of several values counts, and commas separate the items of lists.
    Flags,
    /// Environment variables: as flags, and unknown ones are nobody's mistake.
    Environment,
}

impl Spelling {
    /// Whether values come from a command line, where everything is text.
    fn is_typed_in(self) -> bool {
        matches!(self, Self::Flags | Self::Environment)
    }
}

/// A reader of one map of one object. Call [`Fields::finish`] at the end: it reports the keys that
/// nobody asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    node: &'a Node,
    object: String,
    path: String,
    spelling: Spelling,
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
    read: BTreeSet<usize>,
    findings: Vec<Diagnostic>,
}

impl<'a> Fields<'a> {
    /// A reader of `node`, for the object that messages call `object`. Nothing counts as an empty
    /// map; anything else that is no map is an error.
    pub fn new(node: &'a Node, object: impl Into<String>, spelling: Spelling) -> Self {
        Self::below(node, object.into(), String::new(), spelling)
    }

    /// A reader of a map inside an object: `path` is the dotted path of the map's key.
    pub fn below(node: &'a Node, object: String, path: String, spelling: Spelling) -> Self {
        let mut fields = Self {
            node,
            object,
            path,
            spelling,
            asked: Vec::new(),
            missing: Vec::new(),
            read: BTreeSet::new(),
            findings: Vec::new(),
        };
        if !fields.has_options() {
            let hint = match node.value {
                Value::Bool(true) => "; write `{}` where there are none",
                _ => "",
            };
            let message = format!("expects a map of options, found {}{hint}", node.kind());
            fields.report(Severity::Error, "", &node.position, message);
        }
        fields
    }

    /// The findings in the order of the source, with an error for each key nobody asked for and for
    /// each that is missing; a missing one that was misspelt is one error, not two.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let unread = match self.spelling {
            Spelling::Environment => Vec::new(),
            _ => self.rest(),
        };
        for member in unread {
            let key = &member.key;
            let near = nearest(key, self.asked.iter().copied());
            self.missing.retain(|missing| Some(*missing) != near);
            let message = format!("unknown option `{key}`{}", suggestion(key, near));
            self.report(Severity::Error, key, &member.key_position, message);
        }
        // Of what is no map, that was said.
        let mut missing = std::mem::take(&mut self.missing);
        missing.retain(|_| self.has_options());
        for key in missing {
            self.error(key, format!("`{key}` is missing"));
        }
        self.findings.sort_by(|a, b| a.position.cmp(&b.position));
        self.findings
    }

    /// Where the map stands.
    pub fn position(&self) -> &'a Position {
        &self.node.position
    }

    /// The object as messages name it.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Whether there is a map to read; nothing counts as an empty one.
    pub fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_) | Value::Null)
    }

    /// Whether there is a map to read, or a flag that stands for one.
    fn has_options(&self) -> bool {
        self.is_map() || self.switch() == Some(true)
    }

    /// What a flag without sub-options says: `--ping`, `--ping=false`.
    fn switch(&self) -> Option<bool> {
        match self.single(self.node).scalar() {
            Some("true") if self.spelling.is_typed_in() => Some(true),
            Some("false") if self.spelling.is_typed_in() => Some(false),
            _ => None,
        }
    }

    /// The one value that counts where only one can.
    fn single<'n>(&self, node: &'n Node) -> &'n Node {
        match &node.value {
            Value::List(items) if self.spelling.is_typed_in() => items.last().unwrap_or(node),
            _ => node,
        }
    }

    /// All members of the map, read or not.
    pub fn members(&self) -> &'a [Member] {
        self.node.members()
    }

    /// Whether the key is there with a value.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    /// The value of a key as it is; `None` when it is absent or null.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.value(key).filter(|value| value.value != Value::Null)
    }

    /// The value of a key, also when it is null.
    fn value(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        let mut found: Option<&'a Member> = None;
        for (index, member) in self.node.members().iter().enumerate() {
            if !self.is_called(member, key) {
                continue;
            }
            let is_news = self.read.insert(index);
            match found {
                None => found = Some(member),
                Some(first) if is_news => {
                    let message = format!("is already given as `{}`", first.key);
                    self.report(Severity::Error, &member.key, &member.key_position, message);
                }
                Some(_) => {}
            }
        }
        found.map(|member| &member.value)
    }

    /// The members that were not asked for until now. They count as read from here on: the caller
    /// says what is wrong with them.
    pub fn rest(&mut self) -> Vec<&'a Member> {
        let members = self.node.members().iter().enumerate();
        let unread: Vec<_> = members.filter(|(i, _)| !self.read.contains(i)).collect();
        self.read.extend(unread.iter().map(|(index, _)| *index));
        unread.into_iter().map(|(_, member)| member).collect()
    }

    /// A finding about each key of this map that Traefik has and the gateway does not serve;
    /// `path` is the map's on the list of [`not_yet`].
    pub fn not_yet(&mut self, path: &str) {
        for keys in not_yet::at(path) {
            for key in keys.keys {
                if let Some(node) = self.node(key) {
                    let message = keys.sentence(key);
                    self.report(keys.severity(), key, &node.position, message);
                }
            }
        }
    }

    /// A finding about keys of Hydra's that are known and not served; `advice` continues the
    /// sentence "`key` is not served yet".
    pub fn unserved(&mut self, severity: Severity, keys: &[&'static str], advice: &str) {
        for key in keys {
            if let Some(node) = self.node(key) {
                let message = format!("`{key}` is not served yet{advice}");
                self.report(severity, key, &node.position, message);
            }
        }
    }

    /// An error about a key; it stands at the key's value, or at the map when there is none.
    pub fn error(&mut self, key: &str, message: impl Into<String>) {
        let position = self.place(key);
        self.report(Severity::Error, key, &position, message);
    }

    /// A warning about a key.
    pub fn warn(&mut self, key: &str, message: impl Into<String>) {
        let position = self.place(key);
        self.report(Severity::Warning, key, &position, message);
    }

    /// An error at a place of its own, like a character inside a text.
    pub fn error_at(&mut self, key: &str, position: &Position, message: impl Into<String>) {
        self.report(Severity::Error, key, position, message);
    }

    fn place(&self, key: &str) -> Position {
        let mut node = self.node;
        let mut key = key;
        while let Some((member, rest)) = self.toward(node, key) {
            node = &member.value;
            key = rest;
        }
        node.position.clone()
    }

    /// The member on the way to a dotted key, and what of the key is left. Names may hold dots.
    fn toward<'k>(&self, node: &'a Node, key: &'k str) -> Option<(&'a Member, &'k str)> {
        node.members().iter().find_map(|member| {
            if self.is_called(member, key) {
                return Some((member, ""));
            }
            let (start, rest) = key.split_at_checked(member.key.len())?;
            let rest = rest.strip_prefix('.')?;
            self.is_called(member, start).then_some((member, rest))
        })
    }

    fn is_called(&self, member: &Member, key: &str) -> bool {
        match self.spelling {
            Spelling::Exact => member.key == key,
            _ => member.key.eq_ignore_ascii_case(key),
        }
    }

    fn report(
        &mut self,
        severity: Severity,
        key: &str,
        position: &Position,
        message: impl Into<String>,
    ) {
        self.findings.push(Diagnostic {
            severity,
            object: self.object.clone(),
            key: self.dotted(key),
            message: message.into(),
            position: Some(position.clone()),
        });
    }

    /// The dotted path of a key, from the object down.
    pub fn dotted(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}.{key}", self.path),
        }
    }
}
