//! `store`: tokens that several gateways share, in Redis.

use secrecy::{ExposeSecret as _, SecretString};

use crate::document::Fields;
use crate::routing::middleware::redis::{Redis, redis};
use crate::secret::{look_at, secret};

/// `store`.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// `keyPrefix`: begins the name of every key. Default none.
    pub key_prefix: String,
    /// `secret` and, after it, `previousSecrets` (ours): what seals tokens, and what did before.
    pub secrets: Secrets,
    /// `redis`.
    pub redis: Redis,
}

/// Secrets of a store, the newest first.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub Vec<SecretString>);

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |one: &Self| -> Vec<String> {
            let secrets = one.0.iter();
            secrets
                .map(|secret| secret.expose_secret().to_owned())
                .collect()
        };
        exposed(self) == exposed(other)
    }
}

/// Reads `store`. `None` when it cannot be used; the findings say why.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Store> {
    let store = sealed_or_not(fields);
    if fields.text("secret").is_none_or(|text| text.is_empty()) {
        fields.error("secret", "`secret` is missing: it encrypts the tokens");
    }
    store
}

/// As [`read`], for what may be sealed with another secret.
pub(in crate::routing::middleware) fn sealed_or_not(fields: &mut Fields<'_>) -> Option<Store> {
    let key_prefix = fields.text("keyPrefix").unwrap_or_default();
    let newest = sealing(fields);
    let previous = previous(fields);
    let Some(redis) = fields.section("redis", redis) else {
        fields.error("redis", "`redis` is missing: no other store is served");
        return None;
    };
    let secrets = newest.into_iter().chain(previous).collect();
    Some(Store {
        key_prefix,
        secrets: Secrets(secrets),
        redis: redis?,
    })
}

/// As many characters as the keys of AES have, which Traefik Hub asks for.
fn has_length(text: &str) -> bool {
    matches!(text.chars().count(), 16 | 24 | 32)
}

const LENGTH: &str = "expects exactly 16, 24 or 32 characters";

fn sealing(fields: &mut Fields<'_>) -> Option<SecretString> {
    let sealing = secret(fields, "secret")?;
    if !has_length(sealing.expose_secret()) {
        fields.error("secret", LENGTH);
    }
    Some(sealing)
}

fn previous(fields: &mut Fields<'_>) -> Vec<SecretString> {
    let texts = fields.texts("previousSecrets");
    for (index, text) in texts.iter().enumerate() {
        look_at(fields, &format!("previousSecrets[{index}]"), text);
    }
    if let Some(index) = texts.iter().position(|text| !has_length(text)) {
        fields.error(&format!("previousSecrets[{index}]"), LENGTH);
    }
    texts.into_iter().map(SecretString::from).collect()
}
