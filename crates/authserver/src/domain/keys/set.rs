//! One set of keys, the newest first.

use std::sync::Arc;

use carnet_jose::{Jwk, KeyError, PrivateKey, json};
use serde_json::{Map, Value};

use crate::options::TokenProfile;

/// A base64url modulus that is longer belongs to a key of more than 2048 bits.
const SLOW_MODULUS: usize = 342;

/// A key of a set.
#[derive(Debug)]
pub(in crate::domain) struct Key {
    material: Material,
    /// The headers of tokens, ready made: Hydra's and that of RFC 9068.
    headers: [String; 2],
    signs_slowly: bool,
}

#[derive(Debug)]
enum Material {
    Private(Box<PrivateKey>),
    Public(Jwk),
}

impl Key {
    /// Reads a key, private or public.
    pub(super) fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let object = json::parse_object(text).map_err(|error| KeyError::Json(error.to_string()))?;
        Ok(if object.contains_key("d") {
            Self::from_private(PrivateKey::from_object(&object)?)
        } else {
            Self::new(Material::Public(Jwk::from_object(&object)?))
        })
    }

    /// A key to sign with.
    pub(super) fn from_private(key: PrivateKey) -> Self {
        Self::new(Material::Private(Box::new(key)))
    }

    fn new(material: Material) -> Self {
        let public = match &material {
            Material::Private(key) => key.public_jwk(),
            Material::Public(key) => key,
        };
        let modulus = public
            .to_object()
            .get("n")
            .and_then(Value::as_str)
            .map_or(0, str::len);
        let headers = match &material {
            Material::Private(key) => ["JWT", "at+jwt"].map(|typ| header(key, typ)),
            Material::Public(_) => Default::default(),
        };
        Self {
            headers,
            signs_slowly: modulus > SLOW_MODULUS,
            material,
        }
    }

    pub(super) fn kid(&self) -> &str {
        self.public().kid()
    }

    pub(in crate::domain) fn public(&self) -> &Jwk {
        match &self.material {
            Material::Private(key) => key.public_jwk(),
            Material::Public(key) => key,
        }
    }

    /// The private part, of a key that is meant for signatures and that verifiers can find.
    pub(super) fn signer(&self) -> Option<&PrivateKey> {
        match &self.material {
            Material::Private(key)
                if key.public_jwk().usage() == "sig" && !key.kid().is_empty() =>
            {
                Some(key)
            }
            _ => None,
        }
    }

    pub(super) fn header(&self, profile: TokenProfile) -> &str {
        let [hydra, rfc9068] = &self.headers;
        match profile {
            TokenProfile::Hydra => hydra,
            TokenProfile::Rfc9068 => rfc9068,
        }
    }

    /// Whether a signature takes milliseconds.
    pub(super) const fn signs_slowly(&self) -> bool {
        self.signs_slowly
    }

    /// The key with all it has, for the administrator and for the store.
    pub(super) fn to_json(&self) -> Result<Map<String, Value>, KeyError> {
        match &self.material {
            Material::Private(key) => {
                use secrecy::ExposeSecret as _;
                json::parse_object(key.to_private_json()?.expose_secret().as_bytes())
                    .map_err(|error| KeyError::Json(error.to_string()))
            }
            Material::Public(key) => Ok(key.to_object()),
        }
    }
}

/// `alg`, `kid`, `typ`: sorted, as Hydra writes it.
fn header(key: &PrivateKey, typ: &str) -> String {
    serde_json::json!({"alg": key.algorithm().name(), "kid": key.kid(), "typ": typ}).to_string()
}

/// The newest key of a set that signs.
pub(super) fn newest_signer(keys: &[Arc<Key>]) -> Option<&Arc<Key>> {
    keys.iter().find(|key| key.signer().is_some())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_jose::{Algorithm, RsaBits};

    use super::*;

    fn key(kid: &str, usage: &str) -> Arc<Key> {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, kid).unwrap();
        Arc::new(Key::from_private(key.with_usage(usage)))
    }

    #[test]
    fn the_newest_key_for_signatures_signs() {
        let public = Value::Object(key("p", "sig").public().to_object()).to_string();
        let public = Arc::new(Key::from_json(public.as_bytes()).unwrap());
        let set = [
            key("e", "enc"),
            public,
            key("", "sig"),
            key("b", "sig"),
            key("a", "sig"),
        ];
        assert_eq!(newest_signer(&set).unwrap().kid(), "b");
        assert!(newest_signer(&set[..3]).is_none());
    }

    #[test]
    fn a_key_reads_back_from_what_is_kept_of_it() {
        let key = key("a", "sig");
        let json = Value::Object(key.to_json().unwrap()).to_string();
        let read = Key::from_json(json.as_bytes()).unwrap();
        assert_eq!(read.public(), key.public());
        assert_eq!(
            read.header(TokenProfile::Hydra),
            r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#
        );
        assert!(read.signer().is_some() && !read.signs_slowly());
    }
}
