//! Sealed keys. The newest of a set is the one with the greatest position.

use async_trait::async_trait;
use sqlx::{Sqlite as Database, query::Query, sqlite::SqliteArguments};

use super::Sqlite;
use crate::store::{Insertion, KeyLife, KeyRow, KeyStore, Result};

/// Whatever is unique of a key.
const INSERT: &str = "INSERT INTO key
     (key_set, kid, sealed, signs_from, lifetime, is_imported, follows) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING";

const REPLACE: &str = "REPLACE INTO key
     (key_set, kid, sealed, signs_from, lifetime, is_imported, follows) VALUES (?, ?, ?, ?, ?, ?, ?)";

#[derive(sqlx::FromRow)]
struct Columns {
    key_set: String,
    kid: String,
    sealed: String,
    signs_from: i64,
    lifetime: i64,
    is_imported: bool,
    follows: Option<String>,
}

#[async_trait]
impl KeyStore for Sqlite {
    async fn all_keys(&self) -> Result<Vec<KeyRow>> {
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT key_set, kid, sealed, signs_from, lifetime, is_imported, follows
             FROM key ORDER BY key_set, position DESC",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().map(KeyRow::from).collect())
    }

    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion> {
        let added = insertion(INSERT, row)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected();
        Ok(if added == 0 {
            Insertion::Conflict
        } else {
            Insertion::Done
        })
    }

    async fn raise_key_lifetime(&self, set: &str, kid: &str, lifetime: i64) -> Result<()> {
        sqlx::query("UPDATE key SET lifetime = ? WHERE key_set = ? AND kid = ? AND lifetime < ?")
            .bind(lifetime)
            .bind(set)
            .bind(kid)
            .bind(lifetime)
            .execute(&self.writer)
            .await
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    async fn reseal_key(&self, old: &KeyRow, sealed: &str) -> Result<bool> {
        let changed =
            sqlx::query("UPDATE key SET sealed = ? WHERE key_set = ? AND kid = ? AND sealed = ?")
                .bind(sealed)
                .bind(&old.set)
                .bind(&old.kid)
                .bind(&old.sealed)
                .execute(&self.writer)
                .await
                .map_err(|error| self.failed(error))?
                .rows_affected();
        Ok(changed > 0)
    }

    async fn put_key(&self, row: &KeyRow) -> Result<()> {
        // REPLACE deletes the old row, so the new one gets a position above all others.
        insertion(REPLACE, row)
            .execute(&self.writer)
            .await
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    async fn replace_key_set(&self, set: &str, rows: &[KeyRow]) -> Result<Insertion> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM key WHERE key_set = ?")
            .bind(set)
            .execute(&mut *change)
            .await
            .map_err(|error| self.failed(error))?;
        for row in rows.iter().rev() {
            let added = insertion(INSERT, row)
                .execute(&mut *change)
                .await
                .map_err(|error| self.failed(error))?
                .rows_affected();
            if added == 0 {
                change
                    .rollback()
                    .await
                    .map_err(|error| self.failed(error))?;
                return Ok(Insertion::Conflict);
            }
        }
        change.commit().await.map_err(|error| self.failed(error))?;
        Ok(Insertion::Done)
    }

    async fn delete_key_set(&self, set: &str) -> Result<()> {
        sqlx::query("DELETE FROM key WHERE key_set = ?")
            .bind(set)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn delete_key(&self, set: &str, kid: &str) -> Result<()> {
        sqlx::query("DELETE FROM key WHERE key_set = ? AND kid = ?")
            .bind(set)
            .bind(kid)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }
}

fn insertion<'q>(sql: &'static str, row: &'q KeyRow) -> Query<'q, Database, SqliteArguments> {
    sqlx::query(sql)
        .bind(&row.set)
        .bind(&row.kid)
        .bind(&row.sealed)
        .bind(row.life.signs_from)
        .bind(row.life.lifetime)
        .bind(row.life.is_imported)
        .bind(&row.life.follows)
}

impl From<Columns> for KeyRow {
    fn from(columns: Columns) -> Self {
        Self {
            set: columns.key_set,
            kid: columns.kid,
            sealed: columns.sealed,
            life: KeyLife {
                signs_from: columns.signs_from,
                lifetime: columns.lifetime,
                is_imported: columns.is_imported,
                follows: columns.follows,
            },
        }
    }
}
