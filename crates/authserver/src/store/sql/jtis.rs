//! Assertions that were used, one row each until their end.

use async_trait::async_trait;

use super::{Engine, Sql};
use crate::store::{JtiStore, Result};

#[async_trait]
impl<E: Engine> JtiStore for Sql<E> {
    async fn use_jti(&self, digest: &str, expires_at: i64) -> Result<bool> {
        // One statement: of several at a time exactly one adds the row.
        let sql = "INSERT INTO jti (digest, expires_at) VALUES ($1, $2)
             ON CONFLICT (digest) DO NOTHING";
        let added = self.write(sql, &[digest.into(), expires_at.into()]).await?;
        Ok(added > 0)
    }

    async fn delete_expired_jtis(&self, before: i64, limit: u32) -> Result<u64> {
        self.delete_ended("jti", "digest", before, limit).await
    }
}
