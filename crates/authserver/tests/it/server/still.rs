//! A store without threads, for tests whose clock is paused: while another thread works, a paused
//! clock would run ahead. It keeps clients and keys, and nothing else.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use carnet_authserver::store::{
    ChangeStore, ClientQuery, ClientRow, ClientStore, CodeRow, ConsentQuery, ConsentRow,
    ConsentsOf, DeviceRow, Exchange, Grace, ImportStore, ImportedKey, Insertion, Intake, JtiStore,
    KeyRow, KeyStore, NumberedRevocation, PeopleStore, Perishable, Redemption, RefreshTokenRow,
    Result, Reuse, Revocation, RevocationStore, RotatedSecret, SessionRow, StoreError, TokenRow,
    TokenStore, TrustedIssuerRow,
};

/// The store.
#[derive(Debug, Default)]
pub(crate) struct StillStore {
    clients: Mutex<Vec<ClientRow>>,
    keys: Mutex<Vec<KeyRow>>,
    /// Up to when expired tokens were deleted, at each sweep.
    pub(crate) swept: Mutex<Vec<i64>>,
    /// Whether lookups never come back.
    pub(crate) is_stuck: std::sync::atomic::AtomicBool,
}

impl StillStore {
    fn clients(&self) -> std::sync::MutexGuard<'_, Vec<ClientRow>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, Vec<KeyRow>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn absent<T>() -> Result<T> {
    Err(StoreError::Unavailable("not part of this test".to_owned()))
}

#[async_trait]
impl ClientStore for StillStore {
    async fn insert_client(&self, row: &ClientRow) -> Result<Insertion> {
        self.clients().push(row.clone());
        Ok(Insertion::Done)
    }

    async fn find_client(&self, id: &str) -> Result<Option<ClientRow>> {
        if self.is_stuck.load(std::sync::atomic::Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Ok(self
            .clients()
            .iter()
            .find(|row| row.client.client_id == id)
            .cloned())
    }

    async fn replace_client(&self, _: &ClientRow, _: &ClientRow) -> Result<bool> {
        absent()
    }

    async fn replace_secret_hash(&self, id: &str, old: &str, new: &str) -> Result<bool> {
        let mut clients = self.clients();
        let row = clients.iter_mut().find(|row| row.client.client_id == id);
        Ok(row.filter(|row| row.secret_hash == old).is_some_and(|row| {
            new.clone_into(&mut row.secret_hash);
            true
        }))
    }

    async fn replace_rotated(
        &self,
        _: &str,
        _: &[RotatedSecret],
        _: &[RotatedSecret],
    ) -> Result<bool> {
        absent()
    }

    async fn count_clients(&self, _: &ClientQuery) -> Result<u64> {
        absent()
    }

    async fn delete_client(&self, _: &str, _: i64, _: i64) -> Result<bool> {
        absent()
    }

    async fn list_clients(&self, _: &ClientQuery) -> Result<Vec<ClientRow>> {
        absent()
    }
}

impl ChangeStore for StillStore {}

#[async_trait]
impl KeyStore for StillStore {
    async fn all_keys(&self) -> Result<Vec<KeyRow>> {
        Ok(self.keys().clone())
    }

    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion> {
        let mut keys = self.keys();
        let follows =
            |other: &KeyRow| other.set == row.set && other.life.follows == row.life.follows;
        if row.life.follows.is_some() && keys.iter().any(follows) {
            return Ok(Insertion::Conflict);
        }
        keys.insert(0, row.clone());
        Ok(Insertion::Done)
    }

    async fn raise_key_lifetime(&self, set: &str, kid: &str, lifetime: i64) -> Result<()> {
        let mut keys = self.keys();
        let found = keys.iter_mut().find(|row| row.set == set && row.kid == kid);
        if let Some(row) = found {
            row.life.lifetime = row.life.lifetime.max(lifetime);
        }
        Ok(())
    }

    async fn reseal_key(&self, _: &KeyRow, _: &str) -> Result<bool> {
        absent()
    }

    async fn put_key(&self, _: &KeyRow) -> Result<()> {
        absent()
    }

    async fn replace_key_set(&self, _: &str, _: &[KeyRow]) -> Result<Insertion> {
        absent()
    }

    async fn delete_key_set(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn delete_key(&self, set: &str, kid: &str) -> Result<()> {
        self.keys().retain(|row| row.set != set || row.kid != kid);
        Ok(())
    }
}

#[async_trait]
impl TokenStore for StillStore {
    async fn insert_token(&self, _: &TokenRow) -> Result<bool> {
        absent()
    }

    async fn find_token(&self, _: &str) -> Result<Option<TokenRow>> {
        absent()
    }

    async fn delete_token(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn delete_expired_tokens(&self, before: i64, _: u32) -> Result<u64> {
        self.swept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(before);
        Ok(0)
    }
}

#[async_trait]
impl JtiStore for StillStore {
    async fn use_jti(&self, _: &str, _: i64) -> Result<bool> {
        absent()
    }

    async fn delete_expired_jtis(&self, _: i64, _: u32) -> Result<u64> {
        Ok(0)
    }
}

#[async_trait]
impl RevocationStore for StillStore {
    async fn revoke(&self, _: &Revocation) -> Result<()> {
        absent()
    }

    async fn revocations_after(&self, _: i64) -> Result<Vec<NumberedRevocation>> {
        Ok(Vec::new())
    }

    async fn delete_expired_revocations(&self, _: i64, _: u32) -> Result<u64> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl ImportStore for StillStore {
    async fn begin_import(&self) -> Result<Box<dyn Intake + '_>> {
        absent()
    }

    async fn imported_keys(&self) -> Result<Vec<ImportedKey>> {
        Ok(Vec::new())
    }

    async fn trusted_issuers(&self) -> Result<Vec<TrustedIssuerRow>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl PeopleStore for StillStore {
    async fn put_session(&self, _: &SessionRow) -> Result<()> {
        absent()
    }

    async fn find_session(&self, _: &str) -> Result<Option<SessionRow>> {
        absent()
    }

    async fn delete_session(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn delete_sessions_of(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn insert_consent(&self, _: &ConsentRow, _: Option<&CodeRow>) -> Result<bool> {
        absent()
    }

    async fn find_consent(&self, _: &str) -> Result<Option<ConsentRow>> {
        absent()
    }

    async fn remembered_consent(&self, _: &str, _: &str, _: i64) -> Result<Option<ConsentRow>> {
        absent()
    }

    async fn list_consents(&self, _: &ConsentQuery) -> Result<Vec<ConsentRow>> {
        absent()
    }

    async fn revoke_consents(&self, _: &ConsentsOf, _: i64) -> Result<()> {
        absent()
    }

    async fn end_consent(&self, _: &str, _: i64) -> Result<()> {
        absent()
    }

    async fn find_code(&self, _: &str) -> Result<Option<CodeRow>> {
        absent()
    }

    async fn redeem_code(&self, _: &str, _: &Exchange, _: Reuse) -> Result<Redemption> {
        absent()
    }

    async fn find_refresh_token(&self, _: &str) -> Result<Option<RefreshTokenRow>> {
        absent()
    }

    async fn redeem_refresh_token(&self, _: &str, _: &Exchange, _: Grace) -> Result<Redemption> {
        absent()
    }

    async fn insert_device(&self, _: &DeviceRow) -> Result<Insertion> {
        absent()
    }

    async fn find_device(&self, _: &str) -> Result<Option<DeviceRow>> {
        absent()
    }

    async fn find_device_by_user_code(&self, _: &str) -> Result<Option<DeviceRow>> {
        absent()
    }

    async fn deny_device(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn put_registration(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    async fn find_registration(&self, _: &str) -> Result<Option<String>> {
        absent()
    }

    async fn insert_trusted_issuer(&self, _: &TrustedIssuerRow) -> Result<Insertion> {
        absent()
    }

    async fn delete_trusted_issuer(&self, _: &str) -> Result<()> {
        absent()
    }

    async fn delete_expired(&self, _: Perishable, _: i64, _: u32) -> Result<u64> {
        Ok(0)
    }
}
