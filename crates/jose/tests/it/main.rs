//! The room as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod encoded;
mod keys;
mod refusals;
mod vectors;
