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
        Self::read(text).map(|(set, _)| set)
    }

    /// The same, and how many keys were left out because they are weak, or no keys that anybody could
    /// have made.
    ///
    /// # Errors
    /// As [`JwkSet::from_json`].
    pub fn read(text: &[u8]) -> Result<(Self, usize), KeyError> {
        let object = strict::parse_object(text).map_err(|e| KeyError::Json(e.to_string()))?;
        let Some(Value::Array(all)) = object.get("keys") else {
            return Err(KeyError::Member("keys"));
        };
        let (mut keys, mut rejected) = (Vec::new(), 0);
        for key in all.iter().filter_map(Value::as_object) {
            match Jwk::from_object(key) {
                Ok(key) => keys.push(key),
                Err(KeyError::Rejected) => rejected += 1,
                // Of a kind or for a use that others know.
                Err(_) => {}
            }
        }
        Ok((Self { keys }, rejected))
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds JW-02, JW-17.
    #[test]
    fn weak_keys_are_counted_and_keys_of_others_are_not() {
        // 1,024 bits.
        let number = format!("{}8", "_".repeat(170));
        let text = json!({"keys": [
            {"kty": "RSA", "n": number, "e": "AQAB"},
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "new"},
            7,
        ]});
        let (set, rejected) = JwkSet::read(text.to_string().as_bytes()).unwrap();
        assert_eq!((set.keys().len(), rejected), (0, 1));
    }
}
