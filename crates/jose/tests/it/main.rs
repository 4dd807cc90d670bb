//! The room as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod confusion;
mod encoding;
mod keys;
mod refusals;
mod vectors;
mod wycheproof;
