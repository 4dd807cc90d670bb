//! The true binary, as a user starts it, against servers on ports of their own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod defaults;
mod keys;
mod lines;
mod offline;
mod process;
mod server;
mod tokens;
