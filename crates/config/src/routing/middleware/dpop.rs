//! `dpop` (ours): what is asked of proofs of keys (RFC 9449) beside tokens that are bound to them.

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::oauth_client_credentials::Secrets;
use super::oauth_client_credentials::written::Redis as WrittenRedis;
use super::redis::{Redis, redis};
use crate::document::Fields;
use crate::secret::{look_at, secret};

/// A nonce is a MAC that everybody may see: a shorter secret could be guessed from one.
const SECRET_BYTES: usize = 32;
const TOO_SHORT: &str =
    "is shorter than 32 bytes, so it may be guessed from one nonce; make a longer one";

/// `dpop`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dpop {
    /// `nonceRequired`: whether a proof needs a nonce of the gateway. Default false.
    pub nonce_required: bool,
    /// `secret` and, after it, `previousSecrets`: what nonces are made of, and were before. Empty:
    /// something that this process alone knows.
    pub secrets: Secrets,
    /// `store`: where gateways note together which proofs were used; `None`: each by itself.
    pub store: Option<ProofStore>,
}

/// `dpop.store`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofStore {
    /// `keyPrefix`: begins the name of every key. Default none.
    pub key_prefix: String,
    /// `redis`.
    pub redis: Redis,
    /// `denyOnError`: whether proofs are refused while it cannot be used. Default true.
    pub deny_on_error: bool,
}

/// `dpop` as it is written, for its schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "no value of it is made: it is written down for its schema"
)]
pub(super) struct Written {
    /// Whether a proof needs a nonce of the gateway: one without is answered 401 `use_dpop_nonce`, with
    /// the header `DPoP-Nonce`. Default false.
    nonce_required: bool,
    /// What nonces are made of, of 32 bytes at least: gateways with the same take each other's. Default:
    /// what the process makes up at its start.
    secret: String,
    /// What they were made of before: such nonces still count.
    previous_secrets: Vec<String>,
    /// Where gateways note together which proofs were used. Default: each remembers those that it saw.
    store: WrittenStore,
}

/// Where gateways note together which proofs were used.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "no value of it is made: it is written down for its schema"
)]
struct WrittenStore {
    /// Begins the name of every key. Default: empty.
    key_prefix: String,
    /// Where it is. Required.
    redis: WrittenRedis,
    /// While it cannot be used: 503, in place of each gateway remembering by itself. Default true.
    deny_on_error: bool,
}

impl Dpop {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let nonce_required = fields.boolean("nonceRequired").unwrap_or(false);
        let secrets = secrets(fields);
        if !nonce_required && !secrets.0.is_empty() {
            let message = "has no effect: only with `nonceRequired` nonces are made";
            fields.warn("secret", message);
        }
        Self {
            nonce_required,
            secrets,
            store: fields.section("store", ProofStore::read).flatten(),
        }
    }
}

impl ProofStore {
    /// `None` when it cannot be used; the findings say why.
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let key_prefix = fields.text("keyPrefix").unwrap_or_default();
        let deny_on_error = fields.boolean("denyOnError").unwrap_or(true);
        let Some(redis) = fields.section("redis", redis) else {
            fields.error("redis", "`redis` is missing: no other store is served");
            return None;
        };
        Some(Self {
            key_prefix,
            redis: redis?,
            deny_on_error,
        })
    }
}

fn secrets(fields: &mut Fields<'_>) -> Secrets {
    let newest = secret(fields, "secret");
    let is_short = |secret: &SecretString| secret.expose_secret().len() < SECRET_BYTES;
    if newest.as_ref().is_some_and(is_short) {
        fields.error("secret", TOO_SHORT);
    }
    let previous = fields.texts("previousSecrets");
    for (index, text) in previous.iter().enumerate() {
        look_at(fields, &format!("previousSecrets[{index}]"), text);
    }
    let previous: Vec<SecretString> = previous.into_iter().map(SecretString::from).collect();
    if let Some(index) = previous.iter().position(is_short) {
        fields.error(&format!("previousSecrets[{index}]"), TOO_SHORT);
    }
    if newest.is_none() && !previous.is_empty() {
        let message = "needs a `secret` that came in their place";
        fields.error("previousSecrets", message);
    }
    Secrets(newest.into_iter().chain(previous).collect())
}

/// What may be shown.
impl Serialize for Dpop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_map(None)?;
        shown.serialize_entry("nonceRequired", &self.nonce_required)?;
        if let Some(store) = &self.store {
            shown.serialize_entry("store", store)?;
        }
        shown.end()
    }
}

/// What may be shown.
impl Serialize for ProofStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let endpoints = self.redis.endpoints.iter();
        let endpoints = endpoints.map(|(host, port)| format!("{host}:{port}"));
        let mut shown = serializer.serialize_map(None)?;
        shown.serialize_entry("endpoints", &endpoints.collect::<Vec<_>>())?;
        shown.serialize_entry("denyOnError", &self.deny_on_error)?;
        shown.end()
    }
}
