//! Keys between the store and the memory: sealed under their set and name, so that a row opens
//! nowhere else.

use carnet_oauth::Random;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    domain::{
        Error,
        error::AdminError,
        keys::set::Key,
        system_keys::{Purpose, SystemKeys},
    },
    store::{KeyLife, KeyRow},
};

/// Seals a key for the store.
pub(super) fn seal(
    system: &SystemKeys,
    random: &dyn Random,
    (set, life): (&str, KeyLife),
    key: &Key,
) -> Result<KeyRow, AdminError> {
    let text = Zeroizing::new(Value::Object(key.to_json()?).to_string());
    let context = context(set, key.kid());
    let sealed = system
        .seal(Purpose::Keys, random, text.as_bytes(), &context)
        .ok_or(AdminError::Internal)?;
    Ok(KeyRow {
        set: set.to_owned(),
        kid: key.kid().to_owned(),
        sealed,
        life,
    })
}

/// The same key sealed with the newest secret, when it was sealed with an older one.
pub(super) fn resealed(system: &SystemKeys, random: &dyn Random, row: &KeyRow) -> Option<String> {
    let context = context(&row.set, &row.kid);
    match system.opening(Purpose::Keys, &row.sealed, &context)? {
        (0, _) => None,
        (_, text) => system.seal(Purpose::Keys, random, &text, &context),
    }
}

/// Opens a key of the store.
pub(super) fn open(system: &SystemKeys, row: &KeyRow) -> Result<Key, Error> {
    let (set, kid) = (row.set.clone(), row.kid.clone());
    match system.open(Purpose::Keys, &row.sealed, &context(&set, &kid)) {
        Some(text) => Key::from_json(&text).map_err(|problem| Error::Key { set, kid, problem }),
        None => Err(Error::Sealed { set, kid }),
    }
}

fn context(set: &str, kid: &str) -> String {
    format!("{}:{set}:{kid}", set.len())
}
