//! Rows of what people did: that they logged in, what they let clients do, and the codes and tokens
//! that came of it. All tokens of a consent end together.

use async_trait::async_trait;
use carnet_oauth::Confirmation;
use serde_json::{Map, Value};

use super::{Insertion, Result, TokenRow, TrustedIssuerRow};

/// A login that a browser remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id, which id tokens carry as `sid`.
    pub id: String,
    /// Who logged in.
    pub subject: String,
    /// When, in seconds since 1970.
    pub authenticated_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// What a person let a client do. Its codes and tokens hang on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Its id.
    pub id: String,
    /// Who consented.
    pub subject: String,
    /// The client.
    pub client_id: String,
    /// The login session; a browser need not remember it.
    pub session_id: String,
    /// What was asked and what was granted.
    pub document: Map<String, Value>,
    /// Whether an earlier consent stood for this one.
    pub is_skipped: bool,
    /// Until when it stands for later ones, in seconds since 1970; 0 when it does not.
    pub remembered_until: i64,
    /// When it was given.
    pub handled_at: i64,
    /// When its tokens were ended; 0 while they count.
    pub ended_at: i64,
    /// When nothing of it counts any more. New tokens put it off.
    pub expires_at: i64,
}

/// Which consents, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct ConsentQuery {
    /// Only those of this person.
    pub subject: Option<String>,
    /// Only those for this client.
    pub client_id: Option<String>,
    /// Only those of this login session.
    pub session_id: Option<String>,
    /// Only those whose id comes after this one.
    pub after: Option<String>,
    /// Also those that an earlier one stood for.
    pub with_skipped: bool,
    /// At most so many.
    pub limit: u32,
}

/// Whose consents end.
#[derive(Debug, Clone)]
pub struct ConsentsOf {
    /// The person.
    pub subject: String,
    /// Those for this client alone; all of them when absent.
    pub client_id: Option<String>,
}

/// An authorization code, used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// The digest by which it is found.
    pub digest: String,
    /// The consent that it is for.
    pub consent_id: String,
    /// What its use must agree with.
    pub document: Map<String, Value>,
    /// When it was used, in seconds since 1970; 0 when it was not.
    pub used_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// A refresh token, used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenRow {
    /// The digest by which it is found.
    pub digest: String,
    /// The consent that it is for.
    pub consent_id: String,
    /// When it was issued, in seconds since 1970.
    pub issued_at: i64,
    /// When it was first used; 0 when it was not.
    pub used_at: i64,
    /// How often it was used.
    pub uses: i64,
    /// When it ends.
    pub expires_at: i64,
    /// By what it is bound to whoever may show it.
    pub confirmation: Confirmation,
}

/// The tokens that a code or a refresh token is changed for.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The access token.
    pub access: TokenRow,
    /// The refresh token, where there is one.
    pub refresh: Option<RefreshTokenRow>,
    /// What the consent says from now on, where that changes.
    pub document: Option<Map<String, Value>>,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// How long and how often a refresh token that was used works again. By default never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grace {
    /// Seconds since its first use.
    pub period: i64,
    /// So many uses within them; 0: any number.
    pub uses: i64,
}

/// What a code does that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It takes back what it gave: somebody has a code that another one used.
    EndsConsent,
    /// Nothing: whoever has it may ask twice.
    ChangesNothing,
}

/// What became of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redemption {
    /// The new tokens count, and the old access tokens of the consent do not.
    Done,
    /// It had been used. No token of its consent counts any more, unless [`Reuse`] says otherwise.
    Used,
    /// It is not there, or its consent has ended. Nothing changed.
    Gone,
}

/// A device that waits for its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The digest of its code.
    pub digest: String,
    /// A keyed digest of the code that the person types.
    pub user_code: String,
    /// The client.
    pub client_id: String,
    /// What it asks for, as a query.
    pub query: String,
    /// Whether the person said no.
    pub is_denied: bool,
    /// When its codes end, in seconds since 1970.
    pub expires_at: i64,
}

/// What time ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perishable {
    /// Login sessions.
    LoginSession,
    /// Consents, with what hangs on them.
    Consent,
    /// Authorization codes.
    Code,
    /// Refresh tokens.
    RefreshToken,
    /// Devices that wait.
    Device,
}

impl Perishable {
    /// All of them, what hangs on another before that one.
    pub const ALL: [Self; 5] = [
        Self::Code,
        Self::RefreshToken,
        Self::Consent,
        Self::LoginSession,
        Self::Device,
    ];
}

/// People.
#[async_trait]
pub trait PeopleStore {
    /// Adds a login session, or replaces the one of that id.
    async fn put_session(&self, row: &SessionRow) -> Result<()>;
    /// The login session of this id, also when its time is over.
    async fn find_session(&self, id: &str) -> Result<Option<SessionRow>>;
    /// Deletes a login session; it need not be there.
    async fn delete_session(&self, id: &str) -> Result<()>;
    /// Deletes all login sessions of a person.
    async fn delete_sessions_of(&self, subject: &str) -> Result<()>;

    /// Adds a consent, and its code where there is one; false when the client is gone: then nothing
    /// was added.
    async fn insert_consent(&self, row: &ConsentRow, code: Option<&CodeRow>) -> Result<bool>;
    /// The consent of this id.
    async fn find_consent(&self, id: &str) -> Result<Option<ConsentRow>>;
    /// The newest consent of a person to a client that stands for others at a time.
    async fn remembered_consent(
        &self,
        subject: &str,
        client_id: &str,
        now: i64,
    ) -> Result<Option<ConsentRow>>;
    /// Lists consents.
    async fn list_consents(&self, query: &ConsentQuery) -> Result<Vec<ConsentRow>>;
    /// Deletes consents, and ends their tokens.
    async fn revoke_consents(&self, of: &ConsentsOf, now: i64) -> Result<()>;
    /// Ends all tokens of a consent: opaque and refresh tokens are deleted, signed ones revoked.
    async fn end_consent(&self, id: &str, now: i64) -> Result<()>;

    /// The code of this digest, also when it was used or its time is over.
    async fn find_code(&self, digest: &str) -> Result<Option<CodeRow>>;
    /// Uses a code.
    async fn redeem_code(
        &self,
        digest: &str,
        exchange: &Exchange,
        again: Reuse,
    ) -> Result<Redemption>;
    /// The refresh token of this digest, also when it was used or its time is over.
    async fn find_refresh_token(&self, digest: &str) -> Result<Option<RefreshTokenRow>>;
    /// Uses a refresh token.
    async fn redeem_refresh_token(
        &self,
        digest: &str,
        exchange: &Exchange,
        grace: Grace,
    ) -> Result<Redemption>;

    /// Adds a device, unless its client is gone or one of the same codes waits.
    async fn insert_device(&self, row: &DeviceRow) -> Result<Insertion>;
    /// The device of this digest, also when its time is over.
    async fn find_device(&self, digest: &str) -> Result<Option<DeviceRow>>;
    /// The same by the digest of the code that the person types.
    async fn find_device_by_user_code(&self, user_code: &str) -> Result<Option<DeviceRow>>;
    /// Notes that the person said no; the device need not be there.
    async fn deny_device(&self, digest: &str) -> Result<()>;

    /// Notes by which token, of which this is the digest, a client looks after itself; forgets the one
    /// before.
    async fn put_registration(&self, client_id: &str, digest: &str) -> Result<()>;
    /// The digest of that token.
    async fn find_registration(&self, client_id: &str) -> Result<Option<String>>;

    /// Trusts an issuer, unless one of that id, or of that name, subject and key, is trusted.
    async fn insert_trusted_issuer(&self, row: &TrustedIssuerRow) -> Result<Insertion>;
    /// Trusts an issuer no longer; it need not be there.
    async fn delete_trusted_issuer(&self, id: &str) -> Result<()>;

    /// Deletes at most `limit` rows whose end lies before a time; says how many.
    async fn delete_expired(&self, what: Perishable, before: i64, limit: u32) -> Result<u64>;
}
