//! The application on a socket of its own, spoken to in raw bytes.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod data;
mod dump;
mod echo;
mod health;
mod server;
