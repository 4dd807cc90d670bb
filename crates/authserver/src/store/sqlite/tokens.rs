//! Opaque tokens, one row each.

use async_trait::async_trait;
use serde::de::DeserializeOwned;

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
    ext: String,
}

#[async_trait]
impl TokenStore for Sqlite {
    async fn insert_token(&self, row: &TokenRow) -> Result<bool> {
        // One statement, so that a client cannot go between the look and the write.
        let added = sqlx::query(
            "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at, ext)
             SELECT ?, id, ?, ?, ?, ?, ? FROM client WHERE id = ?",
        )
        .bind(&row.digest)
        .bind(words(&row.scopes))
        .bind(words(&row.audiences))
        .bind(row.issued_at)
        .bind(row.expires_at)
        .bind(serde_json::Value::Object(row.ext.clone()).to_string())
        .bind(&row.client_id)
        .execute(&self.writer)
        .await
        .map_err(|error| self.failed(error))?
        .rows_affected();
        Ok(added > 0)
    }

    async fn find_token(&self, digest: &str) -> Result<Option<TokenRow>> {
        let row: Option<Columns> = sqlx::query_as(
            "SELECT digest, client_id, scopes, audiences, issued_at, expires_at, ext
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

fn token(row: Columns) -> Result<TokenRow> {
    Ok(TokenRow {
        scopes: json(&row, "scopes", &row.scopes)?,
        audiences: json(&row, "audiences", &row.audiences)?,
        ext: json(&row, "ext", &row.ext)?,
        digest: row.digest,
        client_id: row.client_id,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
    })
}

fn json<T: DeserializeOwned>(row: &Columns, column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged {
        table: "token",
        row: row.digest.clone(),
        problem: format!("{column}: {error}"),
    })
}

/// A JSON array.
fn words(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}
