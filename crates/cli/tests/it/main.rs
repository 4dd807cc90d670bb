//! The true binary, as a user starts it, against servers on ports of their own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod console;
mod defaults;
mod keys;
mod lines;
mod offline;
mod process;
mod secrets;
mod seed;
mod server;
mod terminals;
mod tokens;
mod tutorial;
