//! The rules of routers, in Traefik's v3 syntax:
//! ``Host(`a.test`) && (PathPrefix(`/api`) || !Method(`GET`))``.
//!
//! Start at [`parse()`]; the gateway evaluates the [`Rule`] it gives. [`priority()`] ranks routers.

pub use crate::syntax::SyntaxError as RuleError;

mod ast;
mod dialect;
mod matcher;
mod parse;
mod pattern;
mod priority;

pub use ast::Rule;
pub use matcher::{HostPattern, Matcher};
pub use parse::parse;
pub use pattern::Pattern;
pub use priority::{MAX_PRIORITY, priority};
