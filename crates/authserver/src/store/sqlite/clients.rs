//! Clients: the JSON document of the admin API, and the columns that queries need.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _, Sqlite as Database, sqlite::SqliteRow};

use super::Sqlite;
use crate::store::client_memory::SizedRow;
use crate::store::{
    ClientQuery, ClientRow, ClientStore, Insertion, Result, RotatedSecret, StoreError,
};

/// What makes a row.
const COLUMNS: &str = "SELECT id, secret_hash, rotated_secrets, document FROM client";

#[async_trait]
impl ClientStore for Sqlite {
    async fn insert_client(&self, row: &ClientRow) -> Result<Insertion> {
        let _forgetting = self.memory.forgetting(&row.client.client_id);
        let added = sqlx::query(
            "INSERT INTO client (id, name, owner, secret_hash, rotated_secrets, document)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&row.client.client_id)
        .bind(&row.client.client_name)
        .bind(&row.client.owner)
        .bind(&row.secret_hash)
        .bind(rotated(&row.client.client_id, &row.rotated)?)
        .bind(document(row)?)
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

    async fn find_client(&self, id: &str) -> Result<Option<ClientRow>> {
        let read = self.read_client(id).await?;
        Ok(read.map(|(row, _)| row))
    }

    async fn known_client(&self, id: &str) -> Result<Option<Arc<ClientRow>>> {
        self.memory.find(id, self.read_client(id)).await
    }

    async fn update_client(&self, row: &ClientRow) -> Result<bool> {
        let _forgetting = self.memory.forgetting(&row.client.client_id);
        let changed = sqlx::query(
            "UPDATE client
             SET name = ?, owner = ?, secret_hash = ?, rotated_secrets = ?, document = ?
             WHERE id = ?",
        )
        .bind(&row.client.client_name)
        .bind(&row.client.owner)
        .bind(&row.secret_hash)
        .bind(rotated(&row.client.client_id, &row.rotated)?)
        .bind(document(row)?)
        .bind(&row.client.client_id)
        .execute(&self.writer)
        .await
        .map_err(|error| self.failed(error))?
        .rows_affected();
        Ok(changed > 0)
    }

    async fn replace_secret_hash(&self, id: &str, old: &str, new: &str) -> Result<bool> {
        let _forgetting = self.memory.forgetting(id);
        let changed =
            sqlx::query("UPDATE client SET secret_hash = ? WHERE id = ? AND secret_hash = ?")
                .bind(new)
                .bind(id)
                .bind(old)
                .execute(&self.writer)
                .await
                .map_err(|error| self.failed(error))?
                .rows_affected();
        Ok(changed > 0)
    }

    async fn replace_rotated(
        &self,
        id: &str,
        old: &[RotatedSecret],
        new: &[RotatedSecret],
    ) -> Result<bool> {
        let _forgetting = self.memory.forgetting(id);
        let changed = sqlx::query(
            "UPDATE client SET rotated_secrets = ? WHERE id = ? AND rotated_secrets = ?",
        )
        .bind(rotated(id, new)?)
        .bind(id)
        .bind(rotated(id, old)?)
        .execute(&self.writer)
        .await
        .map_err(|error| self.failed(error))?
        .rows_affected();
        Ok(changed > 0)
    }

    async fn delete_client(&self, id: &str) -> Result<bool> {
        let _forgetting = self.memory.forgetting(id);
        // Its tokens go with it: their rows refer to it, ON DELETE CASCADE.
        let deleted = sqlx::query("DELETE FROM client WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected();
        Ok(deleted > 0)
    }

    async fn list_clients(&self, query: &ClientQuery) -> Result<Vec<ClientRow>> {
        let mut sql = QueryBuilder::<Database>::new(COLUMNS);
        narrow(&mut sql, query);
        if let Some(after) = &query.after {
            sql.push(" AND id > ").push_bind(after);
        }
        sql.push(" ORDER BY id LIMIT ").push_bind(query.limit);
        sql.push(" OFFSET ").push_bind(query.offset);
        sql.build()
            .fetch_all(&self.readers)
            .await
            .map_err(|error| self.failed(error))?
            .iter()
            .map(|row| self.client(row).map(|(row, _)| row))
            .collect()
    }

    async fn count_clients(&self, query: &ClientQuery) -> Result<u64> {
        let mut sql = QueryBuilder::<Database>::new("SELECT count(*) FROM client");
        narrow(&mut sql, query);
        let count: i64 = sql
            .build_query_scalar()
            .fetch_one(&self.readers)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// Only conditions that were asked for, so that the index of one of them serves.
fn narrow(sql: &mut QueryBuilder<Database>, query: &ClientQuery) {
    sql.push(" WHERE TRUE");
    for (condition, value) in [
        (" AND name = ", &query.name),
        (" AND owner = ", &query.owner),
    ] {
        if let Some(value) = value {
            sql.push(condition).push_bind(value);
        }
    }
}

impl Sqlite {
    async fn read_client(&self, id: &str) -> Result<Option<SizedRow>> {
        let mut sql = QueryBuilder::<Database>::new(COLUMNS);
        sql.push(" WHERE id = ").push_bind(id);
        sql.build()
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| self.failed(error))?
            .map(|row| self.client(&row))
            .transpose()
    }

    /// A client, and the length of its text.
    fn client(&self, row: &SqliteRow) -> Result<SizedRow> {
        let column = |name| row.try_get(name).map_err(|error| self.failed(error));
        let id: String = column("id")?;
        let (document, rotated): (String, String) =
            (column("document")?, column("rotated_secrets")?);
        let client = serde_json::from_str(&document).map_err(|error| damaged(&id, &error))?;
        let rotated = serde_json::from_str(&rotated).map_err(|error| damaged(&id, &error))?;
        let row = ClientRow {
            client,
            secret_hash: column("secret_hash")?,
            rotated,
        };
        Ok((row, document.len()))
    }
}

/// The document, which never holds a secret whatever the caller left in it.
fn document(row: &ClientRow) -> Result<String> {
    serde_json::to_string(&row.client.clone().as_stored())
        .map_err(|error| damaged(&row.client.client_id, &error))
}

fn rotated(id: &str, secrets: &[RotatedSecret]) -> Result<String> {
    serde_json::to_string(secrets).map_err(|error| damaged(id, &error))
}

fn damaged(id: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        table: "client",
        row: id.to_owned(),
        problem: error.to_string(),
    }
}
