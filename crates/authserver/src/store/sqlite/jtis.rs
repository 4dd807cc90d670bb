//! Assertions that were used, one row each until their end.

use async_trait::async_trait;

use super::Sqlite;
use crate::store::{JtiStore, Result};

#[async_trait]
impl JtiStore for Sqlite {
    async fn use_jti(&self, digest: &str, expires_at: i64) -> Result<bool> {
        // One statement: of several at a time exactly one adds the row.
        let added = sqlx::query("INSERT OR IGNORE INTO jti (digest, expires_at) VALUES (?, ?)")
            .bind(digest)
            .bind(expires_at)
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected();
        Ok(added > 0)
    }

    async fn delete_expired_jtis(&self, before: i64, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM jti WHERE digest IN
             (SELECT digest FROM jti WHERE expires_at < ? ORDER BY expires_at LIMIT ?)";
        self.delete_expired(sql, before, limit).await
    }
}
