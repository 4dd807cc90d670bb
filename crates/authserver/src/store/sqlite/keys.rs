//! Sealed keys. The newest of a set is the one with the greatest position.

use async_trait::async_trait;
use sqlx::Sqlite as Database;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::Sqlite;
use crate::store::{Insertion, KeyRow, KeyStore, Result};

const INSERT: &str = "INSERT INTO key (key_set, kid, sealed) VALUES (?, ?, ?)
     ON CONFLICT (key_set, kid) DO NOTHING";

/// Adds a key, unless there is one of that name in its set.
pub(super) fn insert(row: &KeyRow) -> Query<'_, Database, SqliteArguments> {
    let insert = sqlx::query(INSERT).bind(&row.set).bind(&row.kid);
    insert.bind(&row.sealed)
}

#[async_trait]
impl KeyStore for Sqlite {
    async fn all_keys(&self) -> Result<Vec<KeyRow>> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT key_set, kid, sealed FROM key ORDER BY key_set, position DESC")
                .fetch_all(&self.readers)
                .await
                .map_err(|error| self.failed(error))?;
        Ok(rows
            .into_iter()
            .map(|(set, kid, sealed)| KeyRow { set, kid, sealed })
            .collect())
    }

    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion> {
        let added = insert(row)
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

    async fn put_key(&self, row: &KeyRow) -> Result<()> {
        // REPLACE deletes the old row, so the new one gets a position above all others.
        sqlx::query("REPLACE INTO key (key_set, kid, sealed) VALUES (?, ?, ?)")
            .bind(&row.set)
            .bind(&row.kid)
            .bind(&row.sealed)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn replace_key_set(&self, set: &str, rows: &[KeyRow]) -> Result<Insertion> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM key WHERE key_set = ?")
            .bind(set)
            .execute(&mut *change)
            .await
            .map_err(|error| self.failed(error))?;
        for row in rows.iter().rev() {
            let row = KeyRow {
                set: set.to_owned(),
                ..row.clone()
            };
            let added = insert(&row)
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
