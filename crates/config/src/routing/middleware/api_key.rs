//! `apiKey`: who may pass, by a key.

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};

use super::basic_auth::is_known;
use super::key_source::KeySource;
use crate::document::Fields;
use crate::secret::look_at;

/// `apiKey`, Traefik Hub's: who may pass, by a key. The service gets the request as it came.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Where callers write their key; the first place that has one counts, in the order header, query,
    /// cookie. Required.
    pub key_source: KeySource,
    /// Callers write the key as it is. Default false: they write it in base64.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret_non_base64_encoded: bool,
    /// Hashes of keys: `$2y$` (`htpasswd -nbB "" KEY | cut -c 2-`), `$apr1$`, `$1$` or `{SHA}`, or
    /// references to secrets that hold one. Required.
    #[serde(serialize_with = "redacted")]
    #[schemars(with = "Vec<String>")]
    pub secret_values: Vec<SecretString>,
}

/// How many, and not one hash.
fn redacted<S: Serializer>(hashes: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hashes.iter().map(|_| "REDACTED"))
}

impl PartialEq for ApiKey {
    fn eq(&self, other: &Self) -> bool {
        let hashes = |options: &Self| -> Vec<String> {
            let hashes = options.secret_values.iter();
            hashes.map(|hash| hash.expose_secret().to_owned()).collect()
        };
        self.key_source == other.key_source
            && self.secret_non_base64_encoded == other.secret_non_base64_encoded
            && hashes(self) == hashes(other)
    }
}

impl ApiKey {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let key_source = fields.map("keySource", KeySource::read);
        if key_source.is_none() {
            fields.error(
                "keySource",
                "is missing: it says where callers write their key",
            );
        }
        let secret_non_base64_encoded = fields.boolean("secretNonBase64Encoded").unwrap_or(false);
        let hashes = fields.texts("secretValues");
        if hashes.is_empty() {
            fields.error(
                "secretValues",
                "there is no hash of a key, so nobody could pass",
            );
        }
        for (at, hash) in hashes.iter().enumerate() {
            look_at(fields, "secretValues", hash);
            if !is_known(hash) {
                let message = format!(
                    "hash {} is of no kind that is verified; make one with `htpasswd -nbB \"\" KEY | \
                     cut -c 2-`",
                    at + 1
                );
                fields.error("secretValues", message);
            }
        }
        Some(Self {
            key_source: key_source?,
            secret_non_base64_encoded,
            secret_values: hashes.into_iter().map(SecretString::from).collect(),
        })
    }
}
