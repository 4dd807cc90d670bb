//! Clients: the JSON document of the admin API, and the columns that queries need.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _, Sqlite as Database, sqlite::SqliteRow};

use super::Sqlite;
use crate::store::{ClientQuery, ClientRow, ClientStore, Insertion, Result, StoreError};

#[async_trait]
impl ClientStore for Sqlite {
    async fn insert_client(&self, row: &ClientRow) -> Result<Insertion> {
        let added = sqlx::query(
            "INSERT INTO client (id, name, owner, secret_hash, document)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&row.client.client_id)
        .bind(&row.client.client_name)
        .bind(&row.client.owner)
        .bind(&row.secret_hash)
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
        sqlx::query("SELECT id, secret_hash, document FROM client WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| self.failed(error))?
            .map(|row| self.client(&row))
            .transpose()
    }

    async fn update_client(&self, row: &ClientRow) -> Result<bool> {
        let changed = sqlx::query(
            "UPDATE client SET name = ?, owner = ?, secret_hash = ?, document = ? WHERE id = ?",
        )
        .bind(&row.client.client_name)
        .bind(&row.client.owner)
        .bind(&row.secret_hash)
        .bind(document(row)?)
        .bind(&row.client.client_id)
        .execute(&self.writer)
        .await
        .map_err(|error| self.failed(error))?
        .rows_affected();
        Ok(changed > 0)
    }

    async fn replace_secret_hash(&self, id: &str, old: &str, new: &str) -> Result<bool> {
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

    async fn delete_client(&self, id: &str) -> Result<bool> {
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
        // Only conditions that were asked for, so that the index of one of them serves.
        let mut sql = QueryBuilder::<Database>::new(
            "SELECT id, secret_hash, document FROM client WHERE TRUE",
        );
        for (condition, value) in [
            (" AND name = ", &query.name),
            (" AND owner = ", &query.owner),
            (" AND id > ", &query.after),
        ] {
            if let Some(value) = value {
                sql.push(condition).push_bind(value);
            }
        }
        sql.push(" ORDER BY id LIMIT ").push_bind(query.limit);
        sql.build()
            .fetch_all(&self.readers)
            .await
            .map_err(|error| self.failed(error))?
            .iter()
            .map(|row| self.client(row))
            .collect()
    }
}

impl Sqlite {
    fn client(&self, row: &SqliteRow) -> Result<ClientRow> {
        let column = |name| row.try_get(name).map_err(|error| self.failed(error));
        let id: String = column("id")?;
        let document: String = column("document")?;
        let client = serde_json::from_str(&document).map_err(|error| damaged(&id, &error))?;
        Ok(ClientRow {
            client,
            secret_hash: column("secret_hash")?,
        })
    }
}

/// The document, which never holds a secret whatever the caller left in it.
fn document(row: &ClientRow) -> Result<String> {
    serde_json::to_string(&row.client.clone().as_stored())
        .map_err(|error| damaged(&row.client.client_id, &error))
}

fn damaged(id: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        table: "client",
        row: id.to_owned(),
        problem: error.to_string(),
    }
}
