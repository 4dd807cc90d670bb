//! What is wrong with a configuration, and where: one sentence, file, line, column and key.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration source. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// File name as the user gave it, or `flag`, or `environment`.
    pub source: Arc<str>,
    /// Line, from 1; 0 where the source has no lines.
    pub line: u32,
    /// Column, from 1; 0 where the source has no columns.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.source),
            _ => write!(f, "{}:{}:{}", self.source, self.line, self.column),
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Served all the same.
    Warning,
    /// The object closes itself: routers that need it answer 503.
    Error,
}

/// One finding about one object of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Warning or error.
    pub severity: Severity,
    /// The object as its user names it: `router whoami`, `Middleware apps/oauth2-creds`, or empty
    /// for a finding about the whole source.
    pub object: String,
    /// Dotted path of the key inside the object; empty when the object itself is meant.
    pub key: String,
    /// One sentence: what is wrong and what to do. Never holds a secret.
    pub message: String,
    /// Where it stands, when known.
    pub position: Option<Position>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(match self.severity {
            Severity::Warning => "warning: ",
            Severity::Error => "error: ",
        })?;
        if !self.object.is_empty() {
            write!(f, "{}: ", self.object)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A named object as it was read: its value as far as it could be understood, and what is wrong
/// with it. An object with an error is *closed*: it keeps its place and is not served.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<T> {
    /// The value; `None` when nothing of it could be understood.
    pub value: Option<T>,
    /// Findings, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Object<T> {
    /// An object without findings.
    pub fn sound(value: T) -> Self {
        Self {
            value: Some(value),
            diagnostics: Vec::new(),
        }
    }

    /// An object of which nothing could be understood, and why.
    pub fn closed(finding: Diagnostic) -> Self {
        Self {
            value: None,
            diagnostics: vec![finding],
        }
    }

    /// The value, unless the object is closed.
    pub fn served(&self) -> Option<&T> {
        if self.is_closed() {
            None
        } else {
            self.value.as_ref()
        }
    }

    /// Whether an error keeps this object from being served.
    pub fn is_closed(&self) -> bool {
        self.value.is_none()
            || self
                .diagnostics
                .iter()
                .any(|d| d.severity == Severity::Error)
    }
}
