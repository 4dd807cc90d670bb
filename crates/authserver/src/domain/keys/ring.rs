//! All keys, open, in memory. Readers take a snapshot; writers change the store first, then swap.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use carnet_jose::{Algorithm, JwkSet, KeyError, PrivateKey, RsaBits, jws};
use carnet_oauth::Random;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    domain::{
        Error,
        authority::within,
        error::{AdminError, TokenError},
        keys::{
            ACCESS_TOKENS, ID_TOKENS, sealed,
            set::{self, Key},
        },
        system_keys::SystemKeys,
        uuid,
    },
    options::TokenProfile,
    store::{KeyRow, Store},
};

/// What the readers see.
#[derive(Debug, Default)]
struct Snapshot {
    rows: Vec<KeyRow>,
    sets: BTreeMap<String, Vec<Arc<Key>>>,
    /// The public keys that access tokens are verified with.
    access_tokens: JwkSet,
    /// Those that another server signed with, and until when it did.
    imported: BTreeMap<String, i64>,
}

/// How keys are made.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain) struct NewKeys {
    /// The algorithm of keys for access tokens that nobody asked for.
    pub(in crate::domain) algorithm: Algorithm,
    /// The size of RSA keys, unless another one is asked for.
    pub(in crate::domain) bits: RsaBits,
}

/// The keys of the server.
#[derive(Debug)]
pub(in crate::domain) struct KeyRing {
    pub(super) store: Arc<dyn Store>,
    pub(super) system: Arc<SystemKeys>,
    pub(super) random: Arc<dyn Random>,
    new: NewKeys,
    current: ArcSwap<Snapshot>,
    writing: Mutex<()>,
}

impl KeyRing {
    /// Opens all keys of the store.
    pub(in crate::domain) async fn open(
        store: Arc<dyn Store>,
        system: Arc<SystemKeys>,
        random: Arc<dyn Random>,
        new: NewKeys,
    ) -> Result<Self, Error> {
        let ring = Self {
            store,
            system,
            random,
            new,
            current: ArcSwap::default(),
            writing: Mutex::new(()),
        };
        ring.reload().await?;
        Ok(ring)
    }

    /// Takes in what other processes changed in the store.
    pub(in crate::domain) async fn refresh(&self) -> Result<(), Error> {
        let _writing = self.writing.lock().await;
        self.reload().await
    }

    /// Makes the keys that must be there and are not.
    pub(in crate::domain) async fn complete(&self) -> Result<(), AdminError> {
        for set in [ACCESS_TOKENS, ID_TOKENS] {
            self.ensure_signer(set).await?;
        }
        Ok(())
    }

    /// Whether both sets have a key that signs.
    pub(in crate::domain) fn is_complete(&self) -> bool {
        let snapshot = self.current.load();
        [ACCESS_TOKENS, ID_TOKENS]
            .iter()
            .all(|set| snapshot.signer(set).is_some())
    }

    /// Signs the claims of an access token with the newest key.
    pub(in crate::domain) async fn sign(
        &self,
        claims: Vec<u8>,
        profile: TokenProfile,
    ) -> Result<SecretString, TokenError> {
        let key = self.signer().await?;
        let token = if key.signs_slowly() {
            tokio::task::spawn_blocking(move || compact(&key, profile, &claims))
                .await
                .map_err(|_| TokenError::internal())?
        } else {
            compact(&key, profile, &claims)
        };
        Ok(SecretString::from(token?))
    }

    /// The name of the key that signs access tokens.
    pub(in crate::domain) async fn signing_kid(&self) -> Result<String, TokenError> {
        Ok(self.signer().await?.kid().to_owned())
    }

    /// The newest key for access tokens; made when there is none.
    async fn signer(&self) -> Result<Arc<Key>, TokenError> {
        if let Some(key) = self.current.load().signer(ACCESS_TOKENS) {
            return Ok(key);
        }
        let made = self.ensure_signer(ACCESS_TOKENS).await;
        made.map_err(|error| match error {
            AdminError::Unavailable => TokenError::Unavailable,
            _ => TokenError::internal(),
        })
    }

    /// The claims of a token that any key of the access-token set signed.
    pub(in crate::domain) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        carnet_jose::jwt::verify(token, &self.current.load().access_tokens).ok()
    }

    /// Until when another server issued tokens with the key that signed this one, if one did.
    pub(in crate::domain) fn imported_until(&self, token: &str) -> Option<i64> {
        let snapshot = self.current.load();
        if snapshot.imported.is_empty() {
            return None;
        }
        let header = jws::decode_unverified(token).ok()?.header;
        let kid = header.get("kid").and_then(Value::as_str)?;
        snapshot.imported.get(kid).copied()
    }

    /// The public keys of some sets, the newest of each first.
    pub(in crate::domain) fn public_keys<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Map<String, Value>> {
        let snapshot = self.current.load();
        sets.into_iter()
            .flat_map(|set| snapshot.set(set))
            .map(|key| key.public().to_object())
            .collect()
    }

    /// The keys of a set, the newest first.
    pub(super) fn set(&self, set: &str) -> Vec<Arc<Key>> {
        self.current.load().set(set).to_vec()
    }

    /// Whoever writes takes this first, and calls [`Self::reload`] before giving it back.
    pub(super) async fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Reads the store again; what did not change is not opened again.
    pub(super) async fn reload(&self) -> Result<(), Error> {
        let rows = within(self.store.all_keys()).await?;
        // After the keys, so that none of them is taken for one of our own.
        let imported = within(self.store.imported_keys()).await?;
        let imported = imported.into_iter().map(|key| (key.kid, key.issued_until));
        let imported: BTreeMap<_, _> = imported.collect();
        let before = self.current.load_full();
        if rows == before.rows && imported == before.imported && !rows.is_empty() {
            return Ok(());
        }
        let mut sets = BTreeMap::<String, Vec<Arc<Key>>>::new();
        for row in &rows {
            let key = match before.find(row) {
                Some(key) => key,
                None => Arc::new(sealed::open(&self.system, row)?),
            };
            sets.entry(row.set.clone()).or_default().push(key);
        }
        let signers = sets
            .get(ACCESS_TOKENS)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let access_tokens = JwkSet::new(signers.iter().map(|key| key.public().clone()).collect());
        self.current.store(Arc::new(Snapshot {
            rows,
            sets,
            access_tokens,
            imported,
        }));
        Ok(())
    }

    /// Makes a key, off the async threads: RSA takes its time.
    pub(super) async fn generate(
        &self,
        algorithm: Algorithm,
        kid: String,
        usage: String,
        bits: Option<RsaBits>,
    ) -> Result<Key, AdminError> {
        let bits = bits.unwrap_or(self.new.bits);
        let generated = tokio::task::spawn_blocking(move || {
            PrivateKey::generate(algorithm, bits, &kid).map(|key| key.with_usage(&usage))
        })
        .await
        .map_err(|_| AdminError::Internal)??;
        Ok(Key::from_private(generated))
    }

    /// The signing key of a set; made when there is none. Who comes meanwhile waits.
    async fn ensure_signer(&self, set: &str) -> Result<Arc<Key>, AdminError> {
        let _writing = self.write().await;
        if let Some(key) = self.current.load().signer(set) {
            return Ok(key);
        }
        let algorithm = match set {
            ACCESS_TOKENS => self.new.algorithm,
            _ => Algorithm::Rs256,
        };
        let kid = uuid::fresh(&*self.random);
        let key = self
            .generate(algorithm, kid, "sig".to_owned(), None)
            .await?;
        tracing::info!(key.set = set, key.id = key.kid(), "a signing key was made");
        let row = sealed::seal(&self.system, &*self.random, set, &key)?;
        within(self.store.insert_key(&row)).await?;
        self.reload().await?;
        self.current.load().signer(set).ok_or(AdminError::Internal)
    }
}

impl Snapshot {
    fn set(&self, set: &str) -> &[Arc<Key>] {
        self.sets.get(set).map(Vec::as_slice).unwrap_or_default()
    }

    fn signer(&self, set: &str) -> Option<Arc<Key>> {
        set::newest_signer(self.set(set)).cloned()
    }

    fn find(&self, row: &KeyRow) -> Option<Arc<Key>> {
        self.rows.contains(row).then_some(())?;
        self.set(&row.set)
            .iter()
            .find(|key| key.kid() == row.kid)
            .cloned()
    }
}

fn compact(key: &Key, profile: TokenProfile, claims: &[u8]) -> Result<String, KeyError> {
    let signer = key.signer().ok_or(KeyError::Crypto)?;
    jws::sign_compact(signer, key.header(profile), claims)
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Sealed { .. } | Error::Key { .. } | Error::Options(_) => {
                tracing::error!(error = %error, "a key cannot be used");
                Self::Internal
            }
        }
    }
}
