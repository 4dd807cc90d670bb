//! Keys that come from elsewhere, sealed for our store.

use std::sync::Arc;

use carnet_jose::KeyError;
use carnet_oauth::Random;
use secrecy::SecretString;

use crate::{
    domain::{
        Error,
        keys::{sealed, set::Key},
        system_keys::SystemKeys,
    },
    store::{KeyLife, KeyRow},
};

/// Seals and compares keys under the system secrets, beside a running server or without one.
#[derive(Debug)]
pub(crate) struct Vault {
    system: SystemKeys,
    random: Arc<dyn Random>,
}

impl Vault {
    /// A vault under the secrets of the server that will open it.
    pub(crate) fn new(secrets: &[SecretString], random: Arc<dyn Random>) -> Self {
        Self {
            system: SystemKeys::new(secrets, &*random),
            random,
        }
    }

    /// A key, given as a JWK, as a row of a set.
    pub(crate) fn seal(&self, set: &str, jwk: &[u8]) -> Result<KeyRow, KeyError> {
        let key = Key::from_json(jwk)?;
        let row = sealed::seal(&self.system, &*self.random, (set, KeyLife::default()), &key);
        row.map_err(|_| KeyError::Crypto)
    }

    /// Whether two rows hold the same key.
    pub(crate) fn same(&self, one: &KeyRow, other: &KeyRow) -> Result<bool, Error> {
        let open = |row| sealed::open(&self.system, row);
        Ok(open(one)?.public() == open(other)?.public())
    }
}
