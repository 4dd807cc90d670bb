//! From a request to its route. Knows rules and what they look at; refuses to know what a route
//! does. `table.rs` finds, with
//! `prefixes.rs` as its index of paths, `matcher.rs` evaluates one condition, `facts.rs` is what it looks at.

mod facts;
mod matcher;
mod prefixes;
mod table;

pub(crate) use facts::{Facts, is_well_encoded};
pub(crate) use table::{Ranked, Table};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
