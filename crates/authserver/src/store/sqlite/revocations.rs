//! Revocations of signed tokens.

use async_trait::async_trait;

use super::Sqlite;
use crate::store::{Result, Revocation, RevocationStore, Revoked};

#[async_trait]
impl RevocationStore for Sqlite {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let (kind, subject) = match &revocation.revoked {
            Revoked::Token(jti) => ("token", jti),
            Revoked::Client(id) => ("client", id),
        };
        let mut change = self.begin().await?;
        sqlx::query(
            "INSERT INTO revocation (kind, subject, not_before, expires_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (kind, subject) DO UPDATE SET
             not_before = max(not_before, excluded.not_before),
             expires_at = max(expires_at, excluded.expires_at)",
        )
        .bind(kind)
        .bind(subject)
        .bind(revocation.not_before)
        .bind(revocation.expires_at)
        .execute(&mut *change)
        .await
        .map_err(|error| self.failed(error))?;
        if let Revoked::Client(id) = &revocation.revoked {
            sqlx::query("DELETE FROM token WHERE client_id = ?")
                .bind(id)
                .execute(&mut *change)
                .await
                .map_err(|error| self.failed(error))?;
        }
        change.commit().await.map_err(|error| self.failed(error))
    }

    async fn is_revoked(&self, jti: &str, client_id: &str, issued_at: i64) -> Result<bool> {
        sqlx::query_scalar(
            "SELECT EXISTS (
                SELECT 1 FROM revocation WHERE kind = 'token' AND subject = ?
                UNION ALL
                SELECT 1 FROM revocation WHERE kind = 'client' AND subject = ? AND not_before >= ?)",
        )
        .bind(jti)
        .bind(client_id)
        .bind(issued_at)
        .fetch_one(&self.readers)
        .await
        .map_err(|error| self.failed(error))
    }

    async fn delete_expired_revocations(&self, before: i64, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM revocation WHERE (kind, subject) IN
             (SELECT kind, subject FROM revocation
              WHERE expires_at < ? ORDER BY expires_at LIMIT ?)";
        self.delete_expired(sql, before, limit).await
    }

    async fn ping(&self) -> Result<()> {
        // Reads a page, so that a file that went away is noticed.
        sqlx::query("SELECT id FROM client LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    fn is_shared(&self) -> bool {
        // `serve public` and `serve admin` may be two processes over one file.
        self.anchor.is_none()
    }
}
