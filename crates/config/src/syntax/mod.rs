//! The grammar that rules and `claims` share: calls with string literals, joined by `!`, `&&`,
//! `||` and parentheses. It follows Go's expression syntax, which Traefik's users write.
//!
//! The names of the calls and what their arguments mean is for [`crate::rule`] and
//! [`crate::claims`] to say.

use std::fmt;

mod lexer;
mod literal;
mod tree;

pub(crate) use literal::quote;
pub(crate) use tree::{Call, Tree, parse};

/// Why a text is no expression. `offset` counts bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where in the text, in bytes from its start.
    pub offset: usize,
    /// One sentence: what is wrong, and the nearest valid word where there is one.
    pub message: String,
}

impl SyntaxError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.offset + 1, self.message)
    }
}

impl std::error::Error for SyntaxError {}
