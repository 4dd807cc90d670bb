//! Keys to verify tokens with, wherever they come from, and what a token must be to be believed.
//! Knows no request, no route and what no claim means to anybody. `judge.rs` looks at tokens,
//! `keys.rs` keeps what was fetched while it is good, `key_sets.rs` for all who want it, `http.rs` fetches.

use std::time::Duration;

use carnet_jose::JwkSet;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

mod http;
mod judge;
mod key_sets;
mod keys;
#[cfg(test)]
mod tests;

pub(crate) use http::{HttpKeys, Place, may_be_named_by};
pub(crate) use judge::{Believed, Expected, Fixed, Judge, Kind, Refusal, Strength, Trusted};
pub(crate) use key_sets::KeySets;
pub(crate) use keys::{Keys, PAUSE};

/// Where keys come from that may change.
pub(crate) trait KeySource: Send + Sync {
    /// Fetches what is published now. The error is for the log.
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>>;

    /// The longest that a token waits for it, further attempts included.
    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// What logs call it; holds no secret.
    fn name(&self) -> &str {
        ""
    }
}

/// What an authorization server publishes of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Published {
    pub(crate) keys: JwkSet,
    /// Its name, where its metadata says one.
    pub(crate) issuer: Option<String>,
    /// Keys of it that are too weak to be used.
    pub(crate) rejected: usize,
    /// What else they say; empty without any.
    pub(crate) metadata: Map<String, Value>,
}
