//! The open keys at one moment: what readers see.

use std::{collections::BTreeMap, sync::Arc};

use carnet_jose::JwkSet;

use crate::{
    domain::{
        Error,
        keys::{
            ACCESS_TOKENS,
            ring::Signed,
            sealed,
            set::{self, Held, Key},
            verified::Verified,
        },
        system_keys::SystemKeys,
    },
    store::KeyRow,
};

/// The keys, and the rows that they came from.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    rows: Vec<KeyRow>,
    sets: BTreeMap<String, Vec<Held>>,
    /// The public keys that access tokens are verified with.
    pub(super) access_tokens: JwkSet,
    /// Tokens that they verified.
    pub(super) verified: Verified<Signed>,
    /// Those that another server signed with, and until when it did.
    pub(super) imported: BTreeMap<String, i64>,
}

impl Snapshot {
    /// Opens all rows.
    ///
    /// # Errors
    /// When one does not open.
    pub(super) fn open(
        system: &SystemKeys,
        rows: Vec<KeyRow>,
        imported: BTreeMap<String, i64>,
    ) -> Result<Self, Error> {
        let keys = rows
            .iter()
            .map(|row| sealed::open(system, row).map(|key| Some(Arc::new(key))))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(rows, keys, imported))
    }

    /// Opens what changed; `None` when nothing did. A row that does not open, since another server
    /// has a newer system secret already, is passed over, and takes nothing away that was open.
    pub(super) fn next(
        &self,
        system: &SystemKeys,
        rows: Vec<KeyRow>,
        imported: BTreeMap<String, i64>,
    ) -> Option<Self> {
        if rows == self.rows && imported == self.imported {
            return None;
        }
        let keys = rows.iter().map(|row| self.renewed(system, row)).collect();
        Some(Self::new(rows, keys, imported))
    }

    fn renewed(&self, system: &SystemKeys, row: &KeyRow) -> Option<Arc<Key>> {
        let before = self.find(&row.set, &row.kid);
        if let Some(held) = before.filter(|held| held.row.sealed == row.sealed) {
            return Some(Arc::clone(&held.key));
        }
        match sealed::open(system, row) {
            Ok(key) => Some(Arc::new(key)),
            Err(error) => {
                tracing::error!(error = %error, "a change of a key is passed over");
                before.map(|held| Arc::clone(&held.key))
            }
        }
    }

    fn new(
        rows: Vec<KeyRow>,
        keys: Vec<Option<Arc<Key>>>,
        imported: BTreeMap<String, i64>,
    ) -> Self {
        let mut sets = BTreeMap::<String, Vec<Held>>::new();
        for (row, key) in rows.iter().zip(keys) {
            if let Some(key) = key {
                let row = Arc::new(row.clone());
                sets.entry(row.set.clone())
                    .or_default()
                    .push(Held { key, row });
            }
        }
        let signers = sets
            .get(ACCESS_TOKENS)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let public = signers.iter().map(|held| held.key.public().clone());
        Self {
            access_tokens: JwkSet::new(public.collect()),
            verified: Verified::default(),
            rows,
            sets,
            imported,
        }
    }

    /// The keys of a set, the newest first.
    pub(super) fn set(&self, set: &str) -> &[Held] {
        self.sets.get(set).map(Vec::as_slice).unwrap_or_default()
    }

    /// The key of a set that signs at a time, in seconds since 1970.
    pub(super) fn signer(&self, set: &str, now: i64) -> Option<&Held> {
        set::signer(self.set(set), now)
    }

    /// A key by its name.
    pub(super) fn find(&self, set: &str, kid: &str) -> Option<&Held> {
        self.set(set).iter().find(|held| held.key.kid() == kid)
    }

    /// All keys of all sets.
    pub(super) fn all(&self) -> impl Iterator<Item = &Held> {
        self.sets.values().flatten()
    }
}
