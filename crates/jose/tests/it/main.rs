//! The room as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod confusion;
mod encoded;
mod keys;
mod ml_dsa;
mod refusals;
mod spelling;
mod vectors;
mod wycheproof;
