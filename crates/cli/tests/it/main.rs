//! The true binary, as a user starts it, against servers on ports of their own.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests take the environment they are given, and say what they leave out"
)]

mod bad_input;
mod clients;
mod console;
mod defaults;
mod demo;
mod foreign_verifiers;
mod gateway_files;
mod gateway_traces;
mod hardened;
mod installation;
mod keys;
mod lines;
mod migrate;
mod moving_from_hydra;
mod moving_from_traefik;
mod offline;
mod people;
mod people_leave;
mod process;
mod readme;
mod restart;
mod secrets;
mod secrets_stay;
mod seed;
mod seed_linux;
mod serve_reload;
mod serve_tls;
mod serve_traces;
mod server;
mod terminals;
mod tokens;
mod tutorial;
mod up;
mod upgrade;
mod validate;
mod words;
mod workload_identity;
