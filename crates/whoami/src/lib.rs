//! The echo application: answers what it was asked, byte for byte like `traefik/whoami`.
//!
//! Knows no other room, reads no environment and no flag: see [`Options`]. The text of `/` is
//! written in `dump.rs`; each other path is a file of its name.

mod api;
mod app;
mod bench;
mod data;
mod dump;
mod duration;
mod echo;
mod health;
mod interfaces;
mod query;
mod request;
mod response;
mod serve;

pub use app::Options;
pub use serve::serve;
