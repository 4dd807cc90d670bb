//! Opaque tokens, one row each.

use async_trait::async_trait;
use sqlx::Sqlite as Database;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::Sqlite;
use crate::store::{Result, StoreError, TokenRow, TokenStore};

#[derive(sqlx::FromRow)]
struct Columns {
    digest: String,
    client_id: String,
    scopes: String,
    audiences: String,
    issued_at: i64,
    expires_at: i64,
}

#[async_trait]
impl TokenStore for Sqlite {
    async fn insert_token(&self, row: &TokenRow) -> Result<bool> {
        // One statement, so that a client cannot go between the look and the write.
        let added = sqlx::query(
            "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at)
             SELECT ?, id, ?, ?, ?, ? FROM client WHERE id = ?",
        )
        .bind(&row.digest)
        .bind(words(&row.scopes))
        .bind(words(&row.audiences))
        .bind(row.issued_at)
        .bind(row.expires_at)
        .bind(&row.client_id)
        .execute(&self.writer)
        .await
        .map_err(|error| self.failed(error))?
        .rows_affected();
        Ok(added > 0)
    }

    async fn find_token(&self, digest: &str) -> Result<Option<TokenRow>> {
        let row: Option<Columns> = sqlx::query_as(
            "SELECT digest, client_id, scopes, audiences, issued_at, expires_at
             FROM token WHERE digest = ?",
        )
        .bind(digest)
        .fetch_optional(&self.readers)
        .await
        .map_err(|error| self.failed(error))?;
        row.map(token).transpose()
    }

    async fn delete_token(&self, digest: &str) -> Result<()> {
        sqlx::query("DELETE FROM token WHERE digest = ?")
            .bind(digest)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn delete_expired_tokens(&self, before: i64, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM token WHERE digest IN
             (SELECT digest FROM token WHERE expires_at < ? ORDER BY expires_at LIMIT ?)";
        self.delete_expired(sql, before, limit).await
    }
}

/// Adds a token, unless there is one of that digest.
pub(super) fn insert_if_new(row: &TokenRow) -> Query<'_, Database, SqliteArguments> {
    let insert = sqlx::query(
        "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
    );
    insert
        .bind(&row.digest)
        .bind(&row.client_id)
        .bind(words(&row.scopes))
        .bind(words(&row.audiences))
        .bind(row.issued_at)
        .bind(row.expires_at)
}

fn token(row: Columns) -> Result<TokenRow> {
    let list = |column: &str, text: &str| {
        serde_json::from_str(text).map_err(|error| StoreError::Damaged {
            table: "token",
            row: row.digest.clone(),
            problem: format!("{column}: {error}"),
        })
    };
    Ok(TokenRow {
        scopes: list("scopes", &row.scopes)?,
        audiences: list("audiences", &row.audiences)?,
        digest: row.digest,
        client_id: row.client_id,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
    })
}

/// A JSON array.
pub(super) fn words(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}
