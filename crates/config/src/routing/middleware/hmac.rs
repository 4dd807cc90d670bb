//! `hmac`: requests that are signed with a key that both sides have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Serialize, Serializer};

use crate::document::Fields;
use crate::secret::{are_equal, secret};
use crate::token::is_token;

/// `hmac`, Traefik Hub's: who may pass, by a signature over parts of the request
/// (draft-cavage-http-signatures-12).
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hmac {
    /// Keys of callers: maps of an `id` and a `key`, which may be a reference to a secret. Required.
    #[serde(serialize_with = "redacted")]
    #[schemars(with = "Vec<Key>")]
    pub keys: BTreeMap<String, SecretString>,
    /// A body needs a `Digest` of SHA-256 or SHA-512 that is its own and is signed; the body is read to
    /// its end for that. Default true.
    pub validate_digest: bool,
    /// What a signature must cover: names of headers in lower case, `(request-target)`, `(created)`,
    /// `(expires)`. Default: the latter three.
    pub enforced_headers: Vec<String>,
}

/// A key, as it is written.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema is made of it, and nothing else")]
struct Key {
    /// Name of the key. Required.
    id: String,
    /// The key itself. Required.
    key: String,
}

/// Names and not one key.
fn redacted<S: Serializer>(
    keys: &BTreeMap<String, SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let shown = |id: &String| BTreeMap::from([("id", id.clone()), ("key", "REDACTED".to_owned())]);
    serializer.collect_seq(keys.keys().map(shown))
}

impl PartialEq for Hmac {
    fn eq(&self, other: &Self) -> bool {
        are_equal(&self.keys, &other.keys)
            && self.validate_digest == other.validate_digest
            && self.enforced_headers == other.enforced_headers
    }
}

/// What is signed besides headers.
const SPECIAL: [&str; 3] = ["(request-target)", "(created)", "(expires)"];

impl Hmac {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut keys = BTreeMap::new();
        let mut count = 0;
        for (id, key) in fields.maps("keys", |fields| {
            let id = fields.required_text("id");
            let key = secret(fields, "key");
            if key.is_none() {
                fields.error("key", "is missing");
            }
            (id, key)
        }) {
            count += 1;
            if let (Some(id), Some(key)) = (id, key) {
                keys.insert(id, key);
            }
        }
        if count == 0 {
            fields.error("keys", "there is no key, so nobody could pass");
        } else if keys.len() < count {
            fields.error(
                "keys",
                "each key has an `id` that no other has, and a `key`",
            );
        }
        let validate_digest = fields.boolean("validateDigest").unwrap_or(true);
        let mut enforced_headers = fields.texts("enforcedHeaders");
        for name in &mut enforced_headers {
            *name = name.to_ascii_lowercase();
            if !SPECIAL.contains(&name.as_str()) && !is_token(name) {
                let message = format!(
                    "`{name}` is no name of a header; write one, or `(request-target)`, `(created)`, \
                     `(expires)`"
                );
                fields.error("enforcedHeaders", message);
            }
        }
        if enforced_headers.is_empty() {
            enforced_headers = SPECIAL.map(str::to_owned).to_vec();
        }
        Some(Self {
            keys,
            validate_digest,
            enforced_headers,
        })
    }
}
