//! The room's tests: text in, typed options and diagnostics out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod authserver;
mod authserver_keys;
mod authserver_oauth2;
mod authserver_tracing;
mod claims;
mod claims_naive;
mod condition;
mod document;
mod fields;
mod golden;
mod install;
mod merge;
mod middleware;
mod not_yet;
mod o_auth_token_exchange;
mod oidc;
mod rule;
mod secrets;
