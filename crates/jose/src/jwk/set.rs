//! Sets of public keys.

use serde_json::{Map, Value, json};

use crate::{Jwk, KeyError, json as strict};

/// Public keys to verify with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl JwkSet {
    /// A set of these keys.
    #[must_use]
    pub const fn new(keys: Vec<Jwk>) -> Self {
        Self { keys }
    }

    /// Reads a set. A key that is weak, malformed, symmetric or of an unknown kind is left out: the
    /// others must go on working (RFC 7517, section 5).
    ///
    /// # Errors
    /// When the text is no JSON object with a list of keys.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let object = strict::parse_object(text).map_err(|e| KeyError::Json(e.to_string()))?;
        let Some(Value::Array(keys)) = object.get("keys") else {
            return Err(KeyError::Member("keys"));
        };
        let keys = keys
            .iter()
            .filter_map(Value::as_object)
            .filter_map(|key| Jwk::from_object(key).ok());
        Ok(Self {
            keys: keys.collect(),
        })
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The set as JSON.
    #[must_use]
    pub fn to_object(&self) -> Map<String, Value> {
        let keys: Vec<Value> = self
            .keys
            .iter()
            .map(|key| Value::Object(key.to_object()))
            .collect();
        Map::from_iter([("keys".to_owned(), json!(keys))])
    }
}
