//! What an administrator does with key sets. Adding a key to a set is the rotation: the newest one
//! signs from then on, the others go on verifying.

use std::str::FromStr as _;

use carnet_jose::{Algorithm, RsaBits};
use carnet_oauth::client::Lifespan;
use serde_json::{Map, Value};

use crate::{
    domain::{
        Authority,
        authority::within,
        error::{AdminError, Missing},
        keys::set::Key,
        uuid,
    },
    store::{Insertion, KeyLife},
};

/// A key to be made.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct NewKey {
    /// The algorithm.
    alg: Option<String>,
    /// What it is for; `sig` when absent.
    #[serde(rename = "use")]
    usage: Option<String>,
    /// Its name; made when absent or empty.
    kid: Option<String>,
    /// The size of an RSA key (ours); that of the configuration when absent.
    rsa_bits: Option<u16>,
    /// How long it is published before it signs (ours), as in `10m`; it signs at once when absent.
    publish_ahead: Option<Lifespan>,
}

type Json = Map<String, Value>;

impl Authority {
    /// The keys of a set with their private parts, the newest first.
    pub(crate) fn key_set(&self, set: &str) -> Result<Vec<Json>, AdminError> {
        let keys = self.ring.set(set);
        if keys.is_empty() {
            return Err(AdminError::NotFound(Missing::KeySet));
        }
        keys.iter().map(|held| Ok(held.key.to_json()?)).collect()
    }

    /// One key of a set.
    pub(crate) fn key(&self, set: &str, kid: &str) -> Result<Json, AdminError> {
        let keys = self.ring.set(set);
        let held = keys.iter().find(|held| held.key.kid() == kid);
        let held = held.ok_or(AdminError::NotFound(Missing::Resource))?;
        Ok(held.key.to_json()?)
    }

    /// Makes a key and adds it to a set.
    pub(crate) async fn create_key(&self, set: &str, new: NewKey) -> Result<Json, AdminError> {
        let algorithm = Algorithm::from_str(&new.alg.unwrap_or_default())
            .map_err(|_| AdminError::UnsupportedAlgorithm)?;
        let bits = new.rsa_bits.map(bits).transpose()?;
        let or_else = |given: Option<String>, default: String| {
            given.filter(|text| !text.is_empty()).unwrap_or(default)
        };
        let kid = or_else(new.kid, uuid::fresh(&*self.random));
        let usage = or_else(new.usage, "sig".to_owned());
        let key = self.ring.generate(algorithm, kid, usage, bits).await?;
        let _writing = self.ring.write().await;
        let wait = new.publish_ahead.map_or(0, Lifespan::as_seconds);
        let life = self.ring.life(self.now().saturating_add(wait.max(0)), None);
        let row = self.ring.seal(set, life, &key)?;
        if within(self.ring.store().insert_key(&row)).await? == Insertion::Conflict {
            return Err(AdminError::Conflict);
        }
        self.ring.reload().await?;
        Ok(key.to_json()?)
    }

    /// Replaces a whole set.
    pub(crate) async fn replace_key_set(
        &self,
        set: &str,
        keys: &[Value],
    ) -> Result<Vec<Json>, AdminError> {
        let keys = keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let _writing = self.ring.write().await;
        let rows = keys
            .iter()
            .map(|key| self.ring.seal(set, self.life_from_elsewhere(), key))
            .collect::<Result<Vec<_>, _>>()?;
        if within(self.ring.store().replace_key_set(set, &rows)).await? == Insertion::Conflict {
            return Err(AdminError::Conflict);
        }
        self.ring.reload().await?;
        keys.iter().map(|key| Ok(key.to_json()?)).collect()
    }

    /// Adds a key as it is, or replaces the one of its name.
    pub(crate) async fn put_key(&self, set: &str, key: &Value) -> Result<Json, AdminError> {
        let key = read(key)?;
        let _writing = self.ring.write().await;
        let row = self.ring.seal(set, self.life_from_elsewhere(), &key)?;
        within(self.ring.store().put_key(&row)).await?;
        self.ring.reload().await?;
        Ok(key.to_json()?)
    }

    /// Deletes a set; it need not be there.
    pub(crate) async fn delete_key_set(&self, set: &str) -> Result<(), AdminError> {
        let _writing = self.ring.write().await;
        within(self.ring.store().delete_key_set(set)).await?;
        Ok(self.ring.reload().await?)
    }

    /// Deletes a key; it need not be there.
    pub(crate) async fn delete_key(&self, set: &str, kid: &str) -> Result<(), AdminError> {
        let _writing = self.ring.write().await;
        within(self.ring.store().delete_key(set, kid)).await?;
        Ok(self.ring.reload().await?)
    }

    /// The life of a key that is put here: it may sign from now on.
    fn life_from_elsewhere(&self) -> KeyLife {
        KeyLife {
            signs_from: self.now(),
            ..KeyLife::default()
        }
    }
}

fn bits(size: u16) -> Result<RsaBits, AdminError> {
    match size {
        2048 => Ok(RsaBits::B2048),
        3072 => Ok(RsaBits::B3072),
        4096 => Ok(RsaBits::B4096),
        _ => Err(AdminError::Malformed(
            "Member 'rsa_bits' must be 2048, 3072 or 4096.".to_owned(),
        )),
    }
}

fn read(key: &Value) -> Result<Key, AdminError> {
    // The message names members, never their values.
    Key::from_json(key.to_string().as_bytes())
        .map_err(|error| AdminError::Malformed(format!("The key cannot be used: {error}.")))
}
