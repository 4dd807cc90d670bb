//! Where everything is kept. Knows rows; not what a token means, and never a token or a secret that
//! could be read: tokens come as digests, secrets as hashes, keys sealed.
//!
//! To add a table: see `sql`. To add a database: a folder here with its `Engine`, an arm in [`open()`],
//! [`plan`] and [`migrate`], its SQL in `migrations`, and the suite of `contract` run over it.
//!
//! Lookups answer `Ok(None)` for what is not there. A writing call is done when it returns: what it
//! acknowledges survives a crash, and nothing of it is half there.

mod changes;
pub(crate) mod dsn;
mod expire;
mod import;
mod memory;
mod open;
mod people;
mod postgres;
mod sql;
mod sqlite;

pub use changes::{Change, Changes};
pub use expire::{Ended, Expired, Sweep, expire, sweep};
pub use import::{ImportStore, ImportedKey, Intake, TrustedIssuerRow};
pub use open::{Migration, migrate, open, plan};
pub use people::{
    CodeRow, ConsentQuery, ConsentRow, ConsentsOf, DeviceRow, Exchange, Grace, PeopleStore,
    Perishable, Redemption, RefreshTokenRow, Reuse, SessionRow,
};

use std::sync::Arc;

use async_trait::async_trait;
use carnet_oauth::{Confirmation, client::Client};
use serde_json::{Map, Value};

/// Everything that the server keeps.
pub trait Store:
    ClientStore
    + KeyStore
    + TokenStore
    + PeopleStore
    + RevocationStore
    + JtiStore
    + ImportStore
    + ChangeStore
    + std::fmt::Debug
    + Send
    + Sync
{
}

impl<S> Store for S where
    S: ClientStore
        + KeyStore
        + TokenStore
        + PeopleStore
        + RevocationStore
        + JtiStore
        + ImportStore
        + ChangeStore
        + std::fmt::Debug
        + Send
        + Sync
{
}

/// What a store answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or is broken for now.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A row contradicts what was written.
    #[error("row {row} of {table} is damaged: {problem}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's name.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The address of the store is wrong or leads nowhere.
    #[error("{0}")]
    Dsn(String),
}

/// Whether a row was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insertion {
    /// It was, and is there now.
    Done,
    /// There was one of that name already; nothing changed.
    Conflict,
}

impl Insertion {
    /// What a statement says that adds a row unless its name is taken.
    fn of(added: u64) -> Self {
        if added == 0 {
            Self::Conflict
        } else {
            Self::Done
        }
    }
}

/// A client with the hashes of its secrets.
#[derive(Debug, Clone)]
pub struct ClientRow {
    /// The client as it is read back: without secret and registration members.
    pub client: Client,
    /// The hash of its secret; never shown.
    pub secret_hash: String,
    /// Secrets before that one which still work, the newest first.
    pub rotated: Vec<RotatedSecret>,
}

impl ClientRow {
    /// The hashes of all secrets that work, the current one first.
    pub(crate) fn hashes(&self) -> Vec<&str> {
        let rotated = self.rotated.iter().map(|secret| secret.hash.as_str());
        std::iter::once(self.secret_hash.as_str())
            .chain(rotated)
            .collect()
    }
}

/// A secret that a rotation replaced and that still works.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RotatedSecret {
    /// Its hash; never shown.
    pub hash: String,
    /// When it was replaced, in seconds since 1970.
    pub rotated_at: i64,
    /// When it was last used since.
    pub last_used_at: Option<i64>,
}

/// Which clients to list, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct ClientQuery {
    /// Only those of this name.
    pub name: Option<String>,
    /// Only those of this owner.
    pub owner: Option<String>,
    /// Only those whose id comes after this one, byte by byte.
    pub after: Option<String>,
    /// Without so many of the first.
    pub offset: u32,
    /// At most so many.
    pub limit: u32,
}

/// Clients.
#[async_trait]
pub trait ClientStore {
    /// Adds a client.
    async fn insert_client(&self, row: &ClientRow) -> Result<Insertion>;
    /// The client of this id.
    async fn find_client(&self, id: &str) -> Result<Option<ClientRow>>;
    /// The same, for the many requests that only read it. It may come from memory: a change is seen
    /// as soon as it is acknowledged, one that another process made within a second.
    async fn known_client(&self, id: &str) -> Result<Option<Arc<ClientRow>>> {
        Ok(self.find_client(id).await?.map(Arc::new))
    }
    /// Replaces a client and its hashes, unless somebody changed or deleted it since it was read;
    /// says whether it did.
    async fn replace_client(&self, old: &ClientRow, new: &ClientRow) -> Result<bool>;
    /// Replaces a hash, unless it changed meanwhile; says whether it did.
    async fn replace_secret_hash(&self, id: &str, old: &str, new: &str) -> Result<bool>;
    /// Replaces the rotated secrets, unless they changed meanwhile; says whether it did.
    async fn replace_rotated(
        &self,
        id: &str,
        old: &[RotatedSecret],
        new: &[RotatedSecret],
    ) -> Result<bool>;
    /// Deletes a client and its opaque tokens, and revokes its signed ones as [`Revocation`] says,
    /// at once: one of the same id, added later, does not revive them. False when there is none of
    /// that id; then nothing is revoked.
    async fn delete_client(&self, id: &str, not_before: i64, expires_at: i64) -> Result<bool>;
    /// Lists clients.
    async fn list_clients(&self, query: &ClientQuery) -> Result<Vec<ClientRow>>;
    /// How many clients there are of a query's name and owner.
    async fn count_clients(&self, query: &ClientQuery) -> Result<u64>;
}

/// A key of a set, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The set.
    pub set: String,
    /// The key's name.
    pub kid: String,
    /// The sealed JWK.
    pub sealed: String,
    /// What is known of its life.
    pub life: KeyLife,
}

/// When a key signs, and for how long what it signed counts. The default is that of a key which
/// came from elsewhere and may sign at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLife {
    /// From when on it signs, in seconds since 1970.
    pub signs_from: i64,
    /// The longest lifetime of a token that it signed, in seconds; never too short.
    pub lifetime: i64,
    /// Whether it came from elsewhere: then it may have signed what nobody here knows of.
    pub is_imported: bool,
    /// The key that it follows in the rotation of its set; empty where it is the first, `None` where
    /// it did not come by rotation. A key is followed by one other at most.
    pub follows: Option<String>,
}

impl KeyLife {
    /// How long a token of a key from elsewhere may count: 366 days.
    pub const UNKNOWN_LIFETIME: i64 = 366 * 24 * 3600;
}

impl Default for KeyLife {
    fn default() -> Self {
        Self {
            signs_from: 0,
            lifetime: Self::UNKNOWN_LIFETIME,
            is_imported: true,
            follows: None,
        }
    }
}

/// Keys.
#[async_trait]
pub trait KeyStore {
    /// All keys of all sets, the newest of a set first.
    async fn all_keys(&self) -> Result<Vec<KeyRow>>;
    /// Adds a key. Where one of that name is there, or one that follows the same key of the set, it
    /// is a conflict: so one of several servers rotates.
    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion>;
    /// Makes the lifetime of a key longer, if it is not that long already.
    async fn raise_key_lifetime(&self, set: &str, kid: &str, lifetime: i64) -> Result<()>;
    /// Replaces the sealed text of a key by another of the same key, unless it changed meanwhile;
    /// says whether it did. The key keeps its place and its life.
    async fn reseal_key(&self, old: &KeyRow, sealed: &str) -> Result<bool>;
    /// Adds a key, or replaces the one of that name; it becomes the newest.
    async fn put_key(&self, row: &KeyRow) -> Result<()>;
    /// Replaces a whole set; the first row becomes the newest. A name twice is a conflict.
    async fn replace_key_set(&self, set: &str, rows: &[KeyRow]) -> Result<Insertion>;
    /// Deletes a set; it need not be there.
    async fn delete_key_set(&self, set: &str) -> Result<()>;
    /// Deletes a key; it need not be there.
    async fn delete_key(&self, set: &str, kid: &str) -> Result<()>;
}

/// A token: an opaque one, or a signed one of a person. One row, removed after its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The digest by which the token is found.
    pub digest: String,
    /// The client.
    pub client_id: String,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The granted audiences.
    pub audiences: Vec<String>,
    /// When it was issued, in seconds since 1970.
    pub issued_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// Claims of the application.
    pub ext: Map<String, Value>,
    /// Whose it is.
    pub holder: Holder,
    /// By what it is bound to whoever may show it.
    pub confirmation: Confirmation,
}

/// Whose a token is. All texts are empty for a token of the client's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The person, or whom an assertion named.
    pub subject: String,
    /// The consent that it hangs on.
    pub consent_id: String,
    /// By which name it is revoked, when it is a signed one.
    pub jti: String,
}

/// Tokens that have a row.
#[async_trait]
pub trait TokenStore {
    /// Adds a token; false when its client is gone: then nothing was added.
    async fn insert_token(&self, row: &TokenRow) -> Result<bool>;
    /// The token of this digest, also when its time is over.
    async fn find_token(&self, digest: &str) -> Result<Option<TokenRow>>;
    /// Deletes a token; it need not be there.
    async fn delete_token(&self, digest: &str) -> Result<()>;
    /// Deletes at most `limit` tokens whose end lies before a time; says how many.
    async fn delete_expired_tokens(&self, before: i64, limit: u32) -> Result<u64>;
}

/// What was revoked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revoked {
    /// One signed token.
    Token {
        /// Its `jti`.
        jti: String,
        /// Its client.
        client_id: String,
    },
    /// All tokens of a client that were issued until a time.
    Client(String),
    /// All tokens that a key signed until a time.
    Key(String),
}

/// A revocation of signed tokens, which have no row of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// What was revoked.
    pub revoked: Revoked,
    /// Tokens issued until then are revoked, in seconds since 1970; of a single token, when it was
    /// issued.
    pub not_before: i64,
    /// When the last token that it concerns ends: then the row may go.
    pub expires_at: i64,
}

/// A revocation and the number of its last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedRevocation {
    /// The number. A greater one is never visible before a smaller one.
    pub seq: i64,
    /// The revocation.
    pub revocation: Revocation,
}

/// Revocations.
#[async_trait]
pub trait RevocationStore {
    /// Adds a revocation. One that is there already is only ever extended. One of a client also
    /// deletes its opaque tokens that were issued until then, and revocations of single tokens that
    /// it makes superfluous.
    async fn revoke(&self, revocation: &Revocation) -> Result<()>;
    /// The revocations whose number is greater, in the order of their numbers.
    async fn revocations_after(&self, seq: i64) -> Result<Vec<NumberedRevocation>>;
    /// Deletes at most `limit` revocations whose end lies before a time; says how many.
    async fn delete_expired_revocations(&self, before: i64, limit: u32) -> Result<u64>;
    /// Whether the store answers.
    async fn ping(&self) -> Result<()>;
}

/// Assertions that were used. Each counts once, at whichever server of the store it is shown.
#[async_trait]
pub trait JtiStore {
    /// Notes the use of an assertion, by a digest, until its end (seconds since 1970); false when
    /// it was used before.
    async fn use_jti(&self, digest: &str, expires_at: i64) -> Result<bool>;
    /// Deletes at most `limit` notes whose end lies before a time; says how many.
    async fn delete_expired_jtis(&self, before: i64, limit: u32) -> Result<u64>;
}

/// What other processes change.
pub trait ChangeStore {
    /// Follows the changes from now on. A store of one process has none.
    fn changes(&self) -> Changes {
        Changes::none()
    }
}
