//! What the authorization server promises, seen from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod import;
mod server;
mod store;
