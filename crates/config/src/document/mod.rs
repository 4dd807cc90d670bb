//! Text to a tree in which every value knows where it stands: YAML, TOML and JSON alike.
//!
//! [`crate::routing`] and [`crate::install`] read the tree through [`Fields`]; nothing behind them
//! sees text. Bombs are refused: 8 MiB a source, 64 levels, and a budget for aliases.

use crate::diagnostics::{Diagnostic, Position, Severity};

mod fields;
mod json;
mod scalar;
mod toml;
mod tree;
mod yaml;

pub use fields::{Fields, Spelling};
pub use toml::parse_toml;
pub use tree::Tree;
pub use yaml::parse_yaml;

/// Greatest length of a source in bytes.
pub const MAX_BYTES: usize = 8 << 20;

/// Greatest depth of a tree.
pub const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub position: Position,
    /// What it is.
    pub value: Value,
}

/// What a node holds. Numbers keep the text they were written with: where an option is a text, a
/// client id like `0755` or `1e5` means these very characters.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number and its text.
    Integer(i64, String),
    /// Any other number and its text.
    Float(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Members in the order of the source; names are unique.
    Map(Vec<Member>),
}

/// A member of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub key: String,
    /// Where the name stands.
    pub key_position: Position,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The member of exactly this name.
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.members()
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.value)
    }

    /// The members of a map; of anything else none.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The text of a scalar as it was written; `None` for null, lists and maps.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Integer(_, text) | Value::Float(_, text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether this is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// What the value is, for messages: `a text`, `a list`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Integer(..) | Value::Float(..) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// A source that cannot be read.
fn unreadable(position: Position, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object: String::new(),
        key: String::new(),
        message: message.into(),
        position: Some(position),
    }
}

/// A source that is too long is not even looked at.
fn check_length(text: &str, start: &Position) -> Result<(), Diagnostic> {
    if text.len() > MAX_BYTES {
        let message = "the source is longer than 8 MiB; split it into several";
        return Err(unreadable(start.clone(), message));
    }
    Ok(())
}
