//! What the server does: clients, grants, tokens, keys. Knows neither HTTP nor SQL.
//!
//! Everything hangs on [`Authority`]; each file adds what its name says. To add a grant: a file in
//! `grant/`, an arm in `grant/mod.rs`, its word in `carnet_oauth::grant`.

pub(crate) mod audit;
mod authority;
pub(crate) mod authorize;
mod claims;
pub(crate) mod client;
pub(crate) mod client_auth;
pub(crate) mod counters;
pub(crate) mod device;
mod error;
mod follow;
pub(crate) mod grant;
mod hook;
mod id_token;
mod introspect;
pub(crate) mod keys;
mod limits;
pub(crate) mod logout;
mod maintenance;
mod opaque;
pub(crate) mod page;
mod policy;
pub(crate) mod revocations;
mod revoke;
pub(crate) mod secret;
pub(crate) mod sessions;
mod status_list;
mod subject;
mod system_keys;
pub(crate) mod trust;
pub(crate) mod userinfo;
mod uuid;

pub(crate) use authority::Authority;
pub use error::Error;
pub(crate) use error::{AdminError, Missing, TokenError};
pub use keys::Rotation;
