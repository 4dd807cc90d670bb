//! The data plane over real sockets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod oauth_client_credentials;
mod stack;
mod upstream_tls;
