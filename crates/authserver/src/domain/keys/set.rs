//! One set of keys, the newest first, and which of them signs.
//!
//! The life of a key follows from times that stand in its row, so no server has to write at the
//! moment of a change: it is published from the start, signs from its time on until a newer one's
//! has come, and is retired from then on.

use std::sync::Arc;

use carnet_jose::{Jwk, KeyError, PrivateKey, json};
use serde_json::{Map, Value};

use crate::{domain::keys::ring::Kind, store::KeyRow};

/// A signature by a longer modulus, in bytes, takes milliseconds.
const SLOW_BYTES: usize = 256;

/// A key of a set.
#[derive(Debug)]
pub(in crate::domain) struct Key {
    material: Material,
    /// The headers of tokens, ready made: Hydra's, that of RFC 9068, that of status lists.
    headers: [String; 3],
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
        Ok(if PrivateKey::is_in(&object) {
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
        let signs_slowly = public.rsa_bytes().is_some_and(|length| length > SLOW_BYTES);
        let headers = match &material {
            Material::Private(key) => {
                ["JWT", "at+jwt", "statuslist+jwt"].map(|typ| header(key, typ))
            }
            Material::Public(_) => Default::default(),
        };
        Self {
            headers,
            signs_slowly,
            material,
        }
    }

    pub(in crate::domain) fn kid(&self) -> &str {
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

    pub(super) fn header(&self, kind: Kind) -> &str {
        let [jwt, access_token, status_list] = &self.headers;
        match kind {
            Kind::Jwt => jwt,
            Kind::AccessToken => access_token,
            Kind::StatusList => status_list,
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

/// A key and its row.
#[derive(Debug, Clone)]
pub(in crate::domain) struct Held {
    pub(in crate::domain) key: Arc<Key>,
    pub(super) row: Arc<KeyRow>,
}

impl Held {
    fn is_due(&self, now: i64) -> bool {
        self.row.life.signs_from <= now
    }
}

/// The keys of a set that can sign, the newest first.
pub(super) fn able(keys: &[Held]) -> impl DoubleEndedIterator<Item = &Held> {
    keys.iter().filter(|held| held.key.signer().is_some())
}

/// The key that signs at a time: the newest one whose time has come. Where none's has (the clocks of
/// two servers differ), the oldest.
pub(super) fn signer(keys: &[Held], now: i64) -> Option<&Held> {
    able(keys)
        .find(|held| held.is_due(now))
        .or_else(|| able(keys).next_back())
}

/// The keys that have signed before and no longer do, each with the time since when.
pub(super) fn retired(keys: &[Held], now: i64) -> Vec<(&Held, i64)> {
    let mut since: Option<i64> = None;
    let mut retired = Vec::new();
    for held in able(keys) {
        if let Some(since) = since {
            retired.push((held, since));
        }
        let signs_from = held.row.life.signs_from;
        if held.is_due(now) {
            since = Some(since.map_or(signs_from, |since| since.min(signs_from)));
        }
    }
    retired
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_jose::{Algorithm, RsaBits};

    use super::*;
    use crate::store::KeyLife;

    fn key(kid: &str, usage: &str) -> Key {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, kid).unwrap();
        Key::from_private(key.with_usage(usage))
    }

    fn held(key: Key, signs_from: i64) -> Held {
        let life = KeyLife {
            signs_from,
            ..KeyLife::default()
        };
        let row = KeyRow {
            set: "s".to_owned(),
            kid: key.kid().to_owned(),
            sealed: String::new(),
            life,
        };
        Held {
            key: Arc::new(key),
            row: Arc::new(row),
        }
    }

    #[test]
    fn the_newest_key_for_signatures_whose_time_has_come_signs() {
        let public = Value::Object(key("p", "sig").public().to_object()).to_string();
        let public = Key::from_json(public.as_bytes()).unwrap();
        let set = [
            held(key("e", "enc"), 0),
            held(public, 0),
            held(key("", "sig"), 0),
            held(key("c", "sig"), 300),
            held(key("b", "sig"), 200),
            held(key("a", "sig"), 100),
        ];
        let at = |now| signer(&set, now).unwrap().key.kid();
        assert_eq!([50, 100, 299, 300].map(at), ["a", "a", "b", "c"]);
        assert!(signer(&set[..3], 1_000).is_none());
    }

    #[test]
    fn a_key_is_retired_since_the_first_newer_one_that_there_is_began_to_sign() {
        let set = [
            held(key("d", "sig"), 900),
            held(key("c", "sig"), 150),
            held(key("e", "enc"), 0),
            held(key("b", "sig"), 200),
            held(key("a", "sig"), 0),
        ];
        let at = |now| -> Vec<_> {
            let retired = retired(&set, now).into_iter();
            retired
                .map(|(held, since)| (held.key.kid(), since))
                .collect()
        };
        assert_eq!(at(149), []);
        assert_eq!(at(160), [("b", 150), ("a", 150)]);
        assert_eq!(at(1_000), [("c", 900), ("b", 150), ("a", 150)]);
    }

    #[test]
    fn a_key_reads_back_from_what_is_kept_of_it() {
        let key = key("a", "sig");
        let json = Value::Object(key.to_json().unwrap()).to_string();
        let read = Key::from_json(json.as_bytes()).unwrap();
        assert_eq!(read.public(), key.public());
        assert_eq!(
            read.header(Kind::Jwt),
            r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#
        );
        assert!(read.signer().is_some() && !read.signs_slowly());
    }
}
