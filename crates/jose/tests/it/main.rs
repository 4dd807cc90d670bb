//! The room as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod keys;
mod refusals;
mod vectors;
