//! All keys, open, in memory. Readers take a snapshot; writers change the store first, then swap.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use carnet_jose::jws::{self, Opened};
use carnet_jose::{Algorithm, JwkSet, KeyError, PrivateKey, RsaBits, jwt};
use carnet_oauth::{Clock, Random};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    domain::{
        Error,
        authority::{seconds, within},
        error::{AdminError, TokenError},
        keys::{
            ACCESS_TOKENS, ID_TOKENS, sealed,
            set::{Held, Key},
            snapshot::Snapshot,
        },
        system_keys::SystemKeys,
        uuid,
    },
    options::{Options, TokenProfile},
    store::{Insertion, KeyLife, KeyRow, Store},
};

/// Lifetimes are written down in whole hours, so that few of them are new.
const HOUR: i64 = 3600;

/// How keys are made.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain) struct NewKeys {
    /// The algorithm of keys for access tokens that nobody asked for.
    algorithm: Algorithm,
    /// The size of RSA keys, unless another one is asked for.
    bits: RsaBits,
    /// How long tokens usually count, in seconds.
    lifetime: i64,
}

impl NewKeys {
    pub(in crate::domain) fn of(options: &Options) -> Self {
        Self {
            algorithm: options.algorithm,
            bits: options.rsa_bits,
            lifetime: i64::try_from(options.ttl_access_token.as_secs()).unwrap_or(i64::MAX),
        }
    }
}

/// What a ring works with.
#[derive(Debug)]
pub(in crate::domain) struct Means {
    pub(in crate::domain) store: Arc<dyn Store>,
    pub(in crate::domain) system: Arc<SystemKeys>,
    pub(in crate::domain) random: Arc<dyn Random>,
    pub(in crate::domain) clock: Arc<dyn Clock>,
}

/// What a signed text says to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Kind {
    /// A JWT.
    Jwt,
    /// An access token of RFC 9068.
    AccessToken,
    /// A list of which tokens were revoked.
    StatusList,
}

impl From<TokenProfile> for Kind {
    fn from(profile: TokenProfile) -> Self {
        match profile {
            TokenProfile::Hydra => Self::Jwt,
            TokenProfile::Rfc9068 => Self::AccessToken,
        }
    }
}

/// Claims that are to be signed.
#[derive(Debug)]
pub(in crate::domain) struct Unsigned {
    /// The claims, as JSON.
    pub(in crate::domain) claims: Vec<u8>,
    pub(in crate::domain) kind: Kind,
    /// How long the token will count, in seconds.
    pub(in crate::domain) lifetime: i64,
}

/// A token whose signature is right.
#[derive(Debug)]
pub(in crate::domain) struct Signed {
    pub(in crate::domain) claims: Map<String, Value>,
    pub(in crate::domain) kid: String,
    /// Whether the key was made here, so that nothing was signed with it elsewhere.
    pub(in crate::domain) is_made_here: bool,
    /// Until when another server issued tokens with the key, if one did.
    pub(in crate::domain) imported_until: Option<i64>,
}

/// The keys of the server.
#[derive(Debug)]
pub(in crate::domain) struct KeyRing {
    pub(super) means: Means,
    new: NewKeys,
    current: ArcSwap<Snapshot>,
    writing: Mutex<()>,
}

impl KeyRing {
    /// Opens all keys of the store.
    pub(in crate::domain) async fn open(means: Means, new: NewKeys) -> Result<Self, Error> {
        let (rows, imported) = rows(&*means.store).await?;
        let snapshot = Snapshot::open(&means.system, rows, imported)?;
        Ok(Self {
            means,
            new,
            current: ArcSwap::from_pointee(snapshot),
            writing: Mutex::new(()),
        })
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
        let (snapshot, now) = (self.current.load(), self.now());
        [ACCESS_TOKENS, ID_TOKENS]
            .iter()
            .all(|set| snapshot.signer(set, now).is_some())
    }

    /// Signs a token with the key of a set whose turn it is.
    #[tracing::instrument(target = "spans", level = "trace", skip_all)]
    pub(in crate::domain) async fn sign(
        &self,
        set: &str,
        token: Unsigned,
    ) -> Result<SecretString, TokenError> {
        let signer = self.signer(set).await?;
        if token.lifetime > signer.row.life.lifetime {
            self.remember_lifetime(&signer.row, token.lifetime).await?;
        }
        let key = signer.key;
        let signed = if key.signs_slowly() {
            tokio::task::spawn_blocking(move || compact(&key, &token))
                .await
                .map_err(|_| TokenError::internal())?
        } else {
            compact(&key, &token)
        };
        Ok(SecretString::from(signed?))
    }

    /// The name of the key that signs access tokens.
    pub(in crate::domain) async fn signing_kid(&self) -> Result<String, TokenError> {
        Ok(self.signer(ACCESS_TOKENS).await?.key.kid().to_owned())
    }

    /// The algorithm of the key of a set whose turn it is.
    pub(in crate::domain) async fn algorithm(&self, set: &str) -> Result<Algorithm, TokenError> {
        let signer = self.signer(set).await?;
        let algorithm = signer.key.signer().map(carnet_jose::PrivateKey::algorithm);
        algorithm.ok_or_else(TokenError::internal)
    }

    /// The claims of an id token of ours, whether or not its time is over.
    pub(in crate::domain) fn id_token(&self, token: &str) -> Option<Map<String, Value>> {
        let snapshot = self.current.load();
        let keys = snapshot.set(ID_TOKENS).iter();
        let keys = JwkSet::new(keys.map(|held| held.key.public().clone()).collect());
        jwt::verify(token, &keys).ok()
    }

    /// The key of a set whose turn it is; made when there is none.
    async fn signer(&self, set: &str) -> Result<Held, TokenError> {
        let now = self.now();
        if let Some(signer) = self.current.load().signer(set, now) {
            return Ok(signer.clone());
        }
        let made = self.ensure_signer(set).await;
        made.map_err(|error| match error {
            AdminError::Unavailable => TokenError::Unavailable,
            _ => TokenError::internal(),
        })
    }

    /// A token that any key of the access-token set signed, if it says to be an access token or no
    /// more than a JWT: keys may have been imported that sign other kinds too.
    pub(in crate::domain) fn verify(&self, token: &str) -> Option<Arc<Signed>> {
        let snapshot = self.current.load();
        snapshot.verified.find(token, || {
            let opened = Opened::read(token).ok()?;
            opened.signed_by(&snapshot.access_tokens).ok()?;
            is_access_token(opened.kind()).then_some(())?;
            let kid = opened.kid()?;
            let held = snapshot.find(ACCESS_TOKENS, kid)?;
            Some(Signed {
                kid: kid.to_owned(),
                is_made_here: !held.row.life.is_imported,
                imported_until: snapshot.imported.get(kid).copied(),
                claims: jwt::claims(&opened.payload().ok()?).ok()?,
            })
        })
    }

    /// For how long a token that was signed until now may count, in seconds.
    pub(in crate::domain) fn longest_lifetime(&self) -> i64 {
        let snapshot = self.current.load();
        let lifetimes = snapshot.set(ACCESS_TOKENS).iter();
        let lifetimes = lifetimes.map(|held| held.row.life.lifetime);
        lifetimes
            .max()
            .unwrap_or_default()
            .max(in_hours(self.new.lifetime))
    }

    /// The public keys of some sets, the newest of each first.
    pub(in crate::domain) fn public_keys<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Map<String, Value>> {
        let snapshot = self.current.load();
        sets.into_iter()
            .flat_map(|set| snapshot.set(set))
            .map(|held| held.key.public().to_object())
            .collect()
    }

    /// The keys of a set, the newest first.
    pub(in crate::domain) fn set(&self, set: &str) -> Vec<Held> {
        self.current.load().set(set).to_vec()
    }

    /// The time of day, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        seconds(&*self.means.clock)
    }

    /// Where the keys are kept. Whoever changes something there calls [`Self::write`] first.
    pub(super) fn store(&self) -> &dyn Store {
        &*self.means.store
    }

    /// Whoever writes takes this first, and calls [`Self::reload`] before giving it back.
    pub(super) async fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Reads the store again; what did not change is not opened again.
    pub(super) async fn reload(&self) -> Result<(), Error> {
        let (rows, imported) = rows(self.store()).await?;
        if let Some(next) = self.current.load().next(&self.means.system, rows, imported) {
            self.current.store(Arc::new(next));
        }
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

    /// A key as a row.
    pub(super) fn seal(&self, set: &str, life: KeyLife, key: &Key) -> Result<KeyRow, AdminError> {
        let Means { system, random, .. } = &self.means;
        sealed::seal(system, &**random, (set, life), key)
    }

    /// The life of a key that is made here and signs from a time on.
    pub(super) fn life(&self, signs_from: i64, follows: Option<String>) -> KeyLife {
        KeyLife {
            signs_from,
            lifetime: in_hours(self.new.lifetime),
            is_imported: false,
            follows,
        }
    }

    /// Seals keys anew that an older system secret sealed, so that it can be dropped.
    pub(in crate::domain) async fn reseal(&self) -> Result<(), Error> {
        let _writing = self.write().await;
        let Means { system, random, .. } = &self.means;
        let snapshot = self.current.load_full();
        let mut count = 0_usize;
        for held in snapshot.all() {
            if let Some(sealed) = sealed::resealed(system, &**random, &held.row) {
                count += usize::from(within(self.store().reseal_key(&held.row, &sealed)).await?);
            }
        }
        if count == 0 {
            return Ok(());
        }
        tracing::info!(
            keys = count,
            "keys were sealed anew with the newest system secret"
        );
        self.reload().await
    }

    /// Notes that a key signs for longer than it did: it must be published for as long.
    async fn remember_lifetime(&self, row: &KeyRow, lifetime: i64) -> Result<(), TokenError> {
        let _writing = self.write().await;
        let raised = self
            .store()
            .raise_key_lifetime(&row.set, &row.kid, in_hours(lifetime));
        within(raised).await?;
        self.reload().await.map_err(|error| match error {
            Error::Store(error) => error.into(),
            _ => TokenError::internal(),
        })
    }

    /// The signing key of a set; made when there is none. Who comes meanwhile waits.
    async fn ensure_signer(&self, set: &str) -> Result<Held, AdminError> {
        let _writing = self.write().await;
        if let Some(held) = self.current.load().signer(set, self.now()) {
            return Ok(held.clone());
        }
        let algorithm = match set {
            ACCESS_TOKENS => self.new.algorithm,
            _ => Algorithm::Rs256,
        };
        let kid = uuid::fresh(&*self.means.random);
        let key = self
            .generate(algorithm, kid, "sig".to_owned(), None)
            .await?;
        // It follows nothing: of several servers that begin together, one makes it.
        let row = self.seal(set, self.life(self.now(), Some(String::new())), &key)?;
        if within(self.store().insert_key(&row)).await? == Insertion::Done {
            tracing::info!(key.set = set, key.id = key.kid(), "a signing key was made");
        }
        self.reload().await?;
        let signer = self.current.load().signer(set, self.now()).cloned();
        signer.ok_or(AdminError::Internal)
    }
}

/// The keys of a store, and until when others signed with those that came from elsewhere. The latter
/// second, so that none of them is taken for one of our own.
async fn rows(store: &dyn Store) -> Result<(Vec<KeyRow>, BTreeMap<String, i64>), Error> {
    let rows = within(store.all_keys()).await?;
    let imported = within(store.imported_keys()).await?.into_iter();
    let imported = imported.map(|key| (key.kid, key.issued_until)).collect();
    Ok((rows, imported))
}

/// Whether a header names no kind of JWT, or that of access tokens in either profile (RFC 8725,
/// section 3.11; RFC 9068, section 4).
fn is_access_token(kind: Option<&str>) -> bool {
    let Some(kind) = kind else {
        return true;
    };
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    matches!(kind, "jwt" | "at+jwt")
}

fn in_hours(seconds: i64) -> i64 {
    seconds.saturating_add(HOUR - 1) / HOUR * HOUR
}

fn compact(key: &Key, token: &Unsigned) -> Result<String, KeyError> {
    let signer = key.signer().ok_or(KeyError::Crypto)?;
    jws::sign_compact(signer, key.header(token.kind), &token.claims)
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Sealed { .. } | Error::Key { .. } | Error::Audit { .. } | Error::Options(_) => {
                tracing::error!(error = %error, "a key cannot be used");
                Self::Internal
            }
        }
    }
}
