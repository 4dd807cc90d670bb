//! What people did. Whatever ends tokens is one change with whatever adds them, so that neither sees
//! the other half done: of many uses of a refresh token one is the first, and the others end what it
//! gave.
//!
//! Sessions and consents are here, what is changed for tokens in [`exchange`].

mod consents;
mod devices;
mod exchange;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use super::{Engine, Row, Sql, imports, tokens};
use crate::store::{
    CodeRow, ConsentQuery, ConsentRow, ConsentsOf, DeviceRow, Exchange, Grace, Insertion,
    PeopleStore, Perishable, Redemption, RefreshTokenRow, Result, Reuse, SessionRow, StoreError,
    TrustedIssuerRow,
};

#[async_trait]
impl<E: Engine> PeopleStore for Sql<E> {
    async fn put_session(&self, row: &SessionRow) -> Result<()> {
        let sql = "INSERT INTO login_session (id, subject, authenticated_at, expires_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET subject = excluded.subject,
             authenticated_at = excluded.authenticated_at, expires_at = excluded.expires_at";
        let values = [
            (&row.id).into(),
            (&row.subject).into(),
            row.authenticated_at.into(),
            row.expires_at.into(),
        ];
        self.write(sql, &values).await.map(drop)
    }

    async fn find_session(&self, id: &str) -> Result<Option<SessionRow>> {
        let sql = "SELECT id, subject, authenticated_at, expires_at FROM login_session
             WHERE id = $1";
        let map = |row: &Row<'_, E>| {
            Ok(SessionRow {
                id: row.text("id")?,
                subject: row.text("subject")?,
                authenticated_at: row.number("authenticated_at")?,
                expires_at: row.number("expires_at")?,
            })
        };
        self.first(sql, &[id.into()], map).await
    }

    async fn delete_session(&self, id: &str) -> Result<()> {
        let sql = "DELETE FROM login_session WHERE id = $1";
        self.write(sql, &[id.into()]).await.map(drop)
    }

    async fn delete_sessions_of(&self, subject: &str) -> Result<()> {
        let sql = "DELETE FROM login_session WHERE subject = $1";
        self.write(sql, &[subject.into()]).await.map(drop)
    }

    async fn insert_consent(&self, row: &ConsentRow, code: Option<&CodeRow>) -> Result<bool> {
        consents::insert(self, row, code).await
    }

    async fn find_consent(&self, id: &str) -> Result<Option<ConsentRow>> {
        consents::find(self, id).await
    }

    async fn remembered_consent(
        &self,
        subject: &str,
        client_id: &str,
        now: i64,
    ) -> Result<Option<ConsentRow>> {
        consents::remembered(self, [subject, client_id], now).await
    }

    async fn list_consents(&self, query: &ConsentQuery) -> Result<Vec<ConsentRow>> {
        consents::list(self, query).await
    }

    async fn revoke_consents(&self, of: &ConsentsOf, now: i64) -> Result<()> {
        consents::revoke(self, of, now).await
    }

    async fn end_consent(&self, id: &str, now: i64) -> Result<()> {
        let mut change = self.begin().await?;
        exchange::end(&mut change, id, now).await?;
        change.commit().await
    }

    async fn find_code(&self, digest: &str) -> Result<Option<CodeRow>> {
        let sql = "SELECT digest, consent_id, document, used_at, expires_at FROM code
             WHERE digest = $1";
        let map = |row: &Row<'_, E>| {
            let digest = row.text("digest")?;
            Ok(CodeRow {
                consent_id: row.text("consent_id")?,
                document: document(row, "code", &digest)?,
                used_at: row.number("used_at")?,
                expires_at: row.number("expires_at")?,
                digest,
            })
        };
        self.first(sql, &[digest.into()], map).await
    }

    async fn redeem_code(
        &self,
        digest: &str,
        given: &Exchange,
        again: Reuse,
    ) -> Result<Redemption> {
        exchange::redeem_code(self, digest, given, again).await
    }

    async fn find_refresh_token(&self, digest: &str) -> Result<Option<RefreshTokenRow>> {
        self.first(exchange::FIND_REFRESH, &[digest.into()], exchange::refresh)
            .await
    }

    async fn redeem_refresh_token(
        &self,
        digest: &str,
        given: &Exchange,
        grace: Grace,
    ) -> Result<Redemption> {
        exchange::redeem_refresh_token(self, digest, given, grace).await
    }

    async fn insert_device(&self, row: &DeviceRow) -> Result<Insertion> {
        devices::insert(self, row).await
    }

    async fn find_device(&self, digest: &str) -> Result<Option<DeviceRow>> {
        devices::find(self, "digest", digest).await
    }

    async fn find_device_by_user_code(&self, user_code: &str) -> Result<Option<DeviceRow>> {
        devices::find(self, "user_code", user_code).await
    }

    async fn deny_device(&self, digest: &str) -> Result<()> {
        let sql = "UPDATE device SET is_denied = 1 WHERE digest = $1";
        self.write(sql, &[digest.into()]).await.map(drop)
    }

    async fn put_registration(&self, client_id: &str, digest: &str) -> Result<()> {
        let sql = "INSERT INTO registration (client_id, digest)
             SELECT id, $2 FROM client WHERE id = $1
             ON CONFLICT (client_id) DO UPDATE SET digest = excluded.digest";
        let values = [client_id.into(), digest.into()];
        self.write(sql, &values).await.map(drop)
    }

    async fn find_registration(&self, client_id: &str) -> Result<Option<String>> {
        let sql = "SELECT digest FROM registration WHERE client_id = $1";
        self.first(sql, &[client_id.into()], |row| row.text("digest"))
            .await
    }

    async fn insert_trusted_issuer(&self, row: &TrustedIssuerRow) -> Result<Insertion> {
        let scopes = tokens::words(&row.scopes);
        let values = imports::issuer_values(row, &scopes);
        Ok(Insertion::of(self.write(imports::TRUST, &values).await?))
    }

    async fn delete_trusted_issuer(&self, id: &str) -> Result<()> {
        let sql = "DELETE FROM trusted_issuer WHERE id = $1";
        self.write(sql, &[id.into()]).await.map(drop)
    }

    async fn delete_expired(&self, what: Perishable, before: i64, limit: u32) -> Result<u64> {
        let (table, key) = match what {
            Perishable::LoginSession => ("login_session", "id"),
            Perishable::Consent => ("consent", "id"),
            Perishable::Code => ("code", "digest"),
            Perishable::RefreshToken => ("refresh_token", "digest"),
            Perishable::Device => ("device", "digest"),
        };
        self.delete_ended(table, key, before, limit).await
    }
}

/// A JSON document.
fn document<E: Engine>(
    row: &Row<'_, E>,
    table: &'static str,
    name: &str,
) -> Result<Map<String, Json>> {
    serde_json::from_str(&row.text("document")?).map_err(|error| StoreError::Damaged {
        table,
        row: name.to_owned(),
        problem: format!("document: {error}"),
    })
}
