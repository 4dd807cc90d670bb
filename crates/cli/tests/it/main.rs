//! The true binary, as a user starts it, against servers on ports of their own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod clients;
mod console;
mod defaults;
mod foreign_verifiers;
mod gateway_files;
mod keys;
mod lines;
mod offline;
mod process;
mod restart;
mod secrets;
mod secrets_stay;
mod seed;
mod server;
mod terminals;
mod tokens;
mod tutorial;
mod words;
