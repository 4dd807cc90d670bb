//! Imports: one transaction on the connection that writes.

use async_trait::async_trait;
use sqlx::{Row as _, Sqlite as Database, Transaction, sqlite::SqliteRow};

use super::{Sqlite, clients, keys, tokens};
use crate::store::{
    ClientRow, ImportStore, ImportedKey, Insertion, Intake, KeyRow, Result, StoreError, TokenRow,
    TrustedIssuerRow,
};

/// What makes a trusted issuer.
const ISSUER: &str = "SELECT id, issuer, subject, any_subject, scopes, key_set, kid, created_at, \
                      expires_at FROM trusted_issuer";

#[async_trait]
impl ImportStore for Sqlite {
    async fn begin_import(&self) -> Result<Box<dyn Intake + '_>> {
        let change = self.begin().await?;
        Ok(Box::new(Import {
            store: self,
            change,
        }))
    }

    async fn imported_keys(&self) -> Result<Vec<ImportedKey>> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT kid, issued_until FROM imported_key")
            .fetch_all(&self.readers)
            .await
            .map_err(|error| self.failed(error))?;
        let key = |(kid, issued_until)| ImportedKey { kid, issued_until };
        Ok(rows.into_iter().map(key).collect())
    }

    async fn trusted_issuers(&self) -> Result<Vec<TrustedIssuerRow>> {
        sqlx::query(sqlx::AssertSqlSafe(format!("{ISSUER} ORDER BY id")))
            .fetch_all(&self.readers)
            .await
            .map_err(|error| self.failed(error))?
            .iter()
            .map(|row| self.trusted_issuer(row))
            .collect()
    }
}

struct Import<'store> {
    store: &'store Sqlite,
    change: Transaction<'store, Database>,
}

#[async_trait]
impl Intake for Import<'_> {
    async fn client(&mut self, row: &ClientRow) -> Result<Option<ClientRow>> {
        let added = clients::insert(row)?.execute(&mut *self.change).await;
        if self.rows(added)? > 0 {
            return Ok(None);
        }
        let sql = format!("{} WHERE id = ?", clients::COLUMNS);
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.client.client_id)
            .fetch_one(&mut *self.change)
            .await
            .map_err(|error| self.store.failed(error))?;
        self.store.client(&found).map(Some)
    }

    async fn key(&mut self, row: &KeyRow) -> Result<Option<KeyRow>> {
        let added = keys::insert(row).execute(&mut *self.change).await;
        if self.rows(added)? > 0 {
            return Ok(None);
        }
        let sealed = sqlx::query_scalar("SELECT sealed FROM key WHERE key_set = ? AND kid = ?")
            .bind(&row.set)
            .bind(&row.kid)
            .fetch_one(&mut *self.change)
            .await
            .map_err(|error| self.store.failed(error))?;
        Ok(Some(KeyRow {
            sealed,
            ..row.clone()
        }))
    }

    async fn imported_key(&mut self, key: &ImportedKey) -> Result<()> {
        let added = sqlx::query(
            "INSERT INTO imported_key (kid, issued_until) VALUES (?, ?) ON CONFLICT (kid) DO NOTHING",
        )
        .bind(&key.kid)
        .bind(key.issued_until)
        .execute(&mut *self.change)
        .await;
        self.rows(added).map(drop)
    }

    async fn token(&mut self, row: &TokenRow) -> Result<Insertion> {
        let added = tokens::insert_if_new(row).execute(&mut *self.change).await;
        Ok(match self.rows(added)? {
            0 => Insertion::Conflict,
            _ => Insertion::Done,
        })
    }

    async fn trusted_issuer(&mut self, row: &TrustedIssuerRow) -> Result<Option<TrustedIssuerRow>> {
        let added = sqlx::query(
            "INSERT INTO trusted_issuer (id, issuer, subject, any_subject, scopes, key_set, kid,
                                         created_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&row.id)
        .bind(&row.issuer)
        .bind(&row.subject)
        .bind(row.any_subject)
        .bind(tokens::words(&row.scopes))
        .bind(&row.key_set)
        .bind(&row.kid)
        .bind(row.created_at)
        .bind(row.expires_at)
        .execute(&mut *self.change)
        .await;
        if self.rows(added)? > 0 {
            return Ok(None);
        }
        let sql =
            format!("{ISSUER} WHERE id = ? OR (issuer = ? AND subject = ? AND kid = ?) LIMIT 1");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.id)
            .bind(&row.issuer)
            .bind(&row.subject)
            .bind(&row.kid)
            .fetch_one(&mut *self.change)
            .await
            .map_err(|error| self.store.failed(error))?;
        self.store.trusted_issuer(&found).map(Some)
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let Self { store, change } = *self;
        change.commit().await.map_err(|error| store.failed(error))
    }
}

impl Import<'_> {
    fn rows(
        &self,
        executed: std::result::Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>,
    ) -> Result<u64> {
        let executed = executed.map_err(|error| self.store.failed(error))?;
        Ok(executed.rows_affected())
    }
}

impl Sqlite {
    fn trusted_issuer(&self, row: &SqliteRow) -> Result<TrustedIssuerRow> {
        let text = |name| row.try_get(name).map_err(|error| self.failed(error));
        let time = |name| row.try_get(name).map_err(|error| self.failed(error));
        let (id, scopes): (String, String) = (text("id")?, text("scopes")?);
        let scopes = serde_json::from_str(&scopes).map_err(|error| StoreError::Damaged {
            table: "trusted_issuer",
            row: id.clone(),
            problem: format!("scopes: {error}"),
        })?;
        Ok(TrustedIssuerRow {
            id,
            issuer: text("issuer")?,
            subject: text("subject")?,
            any_subject: row
                .try_get("any_subject")
                .map_err(|error| self.failed(error))?,
            scopes,
            key_set: text("key_set")?,
            kid: text("kid")?,
            created_at: time("created_at")?,
            expires_at: time("expires_at")?,
        })
    }
}
