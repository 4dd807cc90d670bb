//! Revocations of signed tokens.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use super::{Engine, Sql, Value};
use crate::store::{Result, Revocation, RevocationStore, Revoked};

/// One that is there already is only ever extended.
pub(super) const EXTEND: &str =
    "INSERT INTO revocation AS old (kind, subject, not_before, expires_at)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (kind, subject) DO UPDATE SET
     not_before = CASE WHEN excluded.not_before > old.not_before
                       THEN excluded.not_before ELSE old.not_before END,
     expires_at = CASE WHEN excluded.expires_at > old.expires_at
                       THEN excluded.expires_at ELSE old.expires_at END";

#[async_trait]
impl<E: Engine> RevocationStore for Sql<E> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let (kind, subject) = match &revocation.revoked {
            Revoked::Token(jti) => ("token", jti),
            Revoked::Client(id) => ("client", id),
        };
        let _revoking = self.revoking();
        let mut change = self.begin().await?;
        let times = [revocation.not_before, revocation.expires_at].map(Value::from);
        let values = [kind.into(), subject.into(), times[0], times[1]];
        change.write(EXTEND, &values).await?;
        if let Revoked::Client(id) = &revocation.revoked {
            // A token that is being added meanwhile is waited for, and deleted with the others.
            let held = format!("SELECT id FROM client WHERE id = $1{}", E::FOR_UPDATE);
            change.write(AssertSqlSafe(held), &[id.into()]).await?;
            let sql = "DELETE FROM token WHERE client_id = $1";
            change.write(sql, &[id.into()]).await?;
        }
        change.commit().await
    }

    async fn is_revoked(&self, jti: &str, client_id: &str, issued_at: i64) -> Result<bool> {
        let found = self.teller.memories.unrevoked.find(jti, async {
            let is_revoked = self.reads_revocation(jti, client_id, issued_at).await?;
            let token = (client_id.to_owned(), issued_at);
            Ok((!is_revoked).then_some((token, client_id.len())))
        });
        match found.await? {
            None => Ok(true),
            Some(token) if (token.0.as_str(), token.1) == (client_id, issued_at) => Ok(false),
            // Another token of that name was asked for before.
            Some(_) => self.reads_revocation(jti, client_id, issued_at).await,
        }
    }

    async fn delete_expired_revocations(&self, before: i64, limit: u32) -> Result<u64> {
        self.delete_expired("revocation", "kind, subject", before, limit)
            .await
    }

    async fn ping(&self) -> Result<()> {
        // Reads a page, so that a file that went away is noticed.
        let sql = "SELECT id FROM client LIMIT 1";
        self.first(sql, &[], |row| row.text("id")).await.map(drop)
    }
}

impl<E: Engine> Sql<E> {
    async fn reads_revocation(&self, jti: &str, client_id: &str, issued_at: i64) -> Result<bool> {
        let sql = "SELECT kind FROM revocation WHERE kind = 'token' AND subject = $1
             UNION ALL
             SELECT kind FROM revocation
             WHERE kind = 'client' AND subject = $2 AND not_before >= $3";
        let values = [jti.into(), client_id.into(), issued_at.into()];
        let found = self.first(sql, &values, |row| row.text("kind"));
        Ok(found.await?.is_some())
    }
}
