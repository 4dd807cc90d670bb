//! Imports: one change, however long.

use async_trait::async_trait;

use super::clients::{self, Columns};
use super::{Change, Engine, Row, Sql, Value, keys, tokens};
use crate::store::{
    ClientRow, ImportStore, ImportedKey, Insertion, Intake, KeyRow, Result, StoreError, TokenRow,
    TrustedIssuerRow,
};

/// Trusts an issuer, unless one like it is trusted.
pub(super) const TRUST: &str =
    "INSERT INTO trusted_issuer (id, issuer, subject, any_subject, scopes, key_set, kid,
                                 created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

/// What is written of a trusted issuer.
pub(super) fn issuer_values<'a>(row: &'a TrustedIssuerRow, scopes: &'a str) -> [Value<'a>; 9] {
    [
        (&row.id).into(),
        (&row.issuer).into(),
        (&row.subject).into(),
        row.any_subject.into(),
        scopes.into(),
        (&row.key_set).into(),
        (&row.kid).into(),
        row.created_at.into(),
        row.expires_at.into(),
    ]
}

#[async_trait]
impl<E: Engine> ImportStore for Sql<E> {
    async fn begin_import(&self) -> Result<Box<dyn Intake + '_>> {
        Ok(Box::new(self.begin().await?))
    }

    async fn imported_keys(&self) -> Result<Vec<ImportedKey>> {
        let sql = "SELECT kid, issued_until FROM imported_key ORDER BY kid";
        let map = |row: &Row<'_, E>| {
            Ok(ImportedKey {
                kid: row.text("kid")?,
                issued_until: row.number("issued_until")?,
            })
        };
        self.read(sql, &[], map).await
    }

    async fn trusted_issuers(&self) -> Result<Vec<TrustedIssuerRow>> {
        let sql = "SELECT id, issuer, subject, any_subject, scopes, key_set, kid, created_at,
                          expires_at FROM trusted_issuer ORDER BY id";
        self.read(sql, &[], trusted_issuer).await
    }
}

#[async_trait]
impl<E: Engine> Intake for Change<'_, E> {
    async fn client(&mut self, row: &ClientRow) -> Result<Option<ClientRow>> {
        let columns = Columns::of(row)?;
        if self.write(clients::INSERT, &columns.values()).await? > 0 {
            return Ok(None);
        }
        let id = Value::from(&row.client.client_id);
        self.first(clients::FIND, &[id], clients::client).await
    }

    async fn key(&mut self, row: &KeyRow) -> Result<Option<KeyRow>> {
        if self.write(keys::INSERT, &keys::values(row)).await? > 0 {
            return Ok(None);
        }
        let values = [&row.set, &row.kid].map(Value::from);
        self.first(keys::FIND, &values, keys::key).await
    }

    async fn imported_key(&mut self, key: &ImportedKey) -> Result<()> {
        let sql = "INSERT INTO imported_key (kid, issued_until) VALUES ($1, $2)
             ON CONFLICT (kid) DO NOTHING";
        let values = [(&key.kid).into(), key.issued_until.into()];
        self.write(sql, &values).await.map(drop)
    }

    async fn token(&mut self, row: &TokenRow) -> Result<Insertion> {
        let columns = tokens::Columns::of(row);
        let added = self.write(tokens::IMPORT, &columns.values(row)).await?;
        Ok(Insertion::of(added))
    }

    async fn trusted_issuer(&mut self, row: &TrustedIssuerRow) -> Result<Option<TrustedIssuerRow>> {
        let scopes = tokens::words(&row.scopes);
        let added = self.write(TRUST, &issuer_values(row, &scopes)).await?;
        if added > 0 {
            return Ok(None);
        }
        let sql = "SELECT id, issuer, subject, any_subject, scopes, key_set, kid, created_at,
                          expires_at FROM trusted_issuer
             WHERE id = $1 OR (issuer = $2 AND subject = $3 AND kid = $4) ORDER BY id LIMIT 1";
        let values = [&row.id, &row.issuer, &row.subject, &row.kid].map(Value::from);
        self.first(sql, &values, trusted_issuer).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        Change::commit(*self).await
    }
}

fn trusted_issuer<E: Engine>(row: &Row<'_, E>) -> Result<TrustedIssuerRow> {
    let id = row.text("id")?;
    let scopes = serde_json::from_str(&row.text("scopes")?);
    Ok(TrustedIssuerRow {
        scopes: scopes.map_err(|error| StoreError::Damaged {
            table: "trusted_issuer",
            row: id.clone(),
            problem: format!("scopes: {error}"),
        })?,
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        any_subject: row.number("any_subject")? == 1,
        key_set: row.text("key_set")?,
        kid: row.text("kid")?,
        created_at: row.number("created_at")?,
        expires_at: row.number("expires_at")?,
        id,
    })
}
