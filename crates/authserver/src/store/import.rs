//! What comes from another server: clients, keys and tokens in one transaction, and what is known
//! of them only because they were imported.

use async_trait::async_trait;

use super::{ClientRow, Insertion, KeyRow, Result, TokenRow};

/// A key with which another server signed before it came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedKey {
    /// The key's name.
    pub kid: String,
    /// Of its tokens that were issued until then (seconds since 1970) those count that have a
    /// [`TokenRow`].
    pub issued_until: i64,
}

/// An issuer whose assertions count for a grant (RFC 7523).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuerRow {
    /// Its id here.
    pub id: String,
    /// The `iss` of its assertions.
    pub issuer: String,
    /// The `sub` of its assertions; empty when any is allowed.
    pub subject: String,
    /// Whether any `sub` is allowed.
    pub any_subject: bool,
    /// The scopes that its assertions may ask for.
    pub scopes: Vec<String>,
    /// The set of its public key.
    pub key_set: String,
    /// The public key's name.
    pub kid: String,
    /// When it was registered, in seconds since 1970.
    pub created_at: i64,
    /// Until when it is trusted.
    pub expires_at: i64,
}

/// Imports.
#[async_trait]
pub trait ImportStore {
    /// Begins an import. Dropped before its commit, nothing of it happened.
    async fn begin_import(&self) -> Result<Box<dyn Intake + '_>>;
    /// The keys that were imported.
    async fn imported_keys(&self) -> Result<Vec<ImportedKey>>;
    /// All trusted issuers, in the order of their ids.
    async fn trusted_issuers(&self) -> Result<Vec<TrustedIssuerRow>>;
}

/// An import that is under way. What is there already is never changed: it is handed back.
#[async_trait]
pub trait Intake: Send {
    /// Adds a client, or gives the one of that id.
    async fn client(&mut self, row: &ClientRow) -> Result<Option<ClientRow>>;
    /// Adds a key as the newest of its set, or gives the one of that name.
    async fn key(&mut self, row: &KeyRow) -> Result<Option<KeyRow>>;
    /// Adds an imported key; one of that name is left as it is.
    async fn imported_key(&mut self, key: &ImportedKey) -> Result<()>;
    /// Adds a token, unless there is one of that digest.
    async fn token(&mut self, row: &TokenRow) -> Result<Insertion>;
    /// Adds an issuer, or gives the one of that id, or of that issuer, subject and key.
    async fn trusted_issuer(&mut self, row: &TrustedIssuerRow) -> Result<Option<TrustedIssuerRow>>;
    /// Makes all of it last.
    async fn commit(self: Box<Self>) -> Result<()>;
}
