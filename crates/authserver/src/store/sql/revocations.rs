//! Revocations of signed tokens. Changes of several statements come one after the other, so numbers
//! become visible in their order.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use super::{Change, Engine, Row, Sql, Value};
use crate::store::{NumberedRevocation, Result, Revocation, RevocationStore, Revoked, StoreError};

const COUNT: &str = "UPDATE revocation_counter SET last = last + 1";

/// One that is there already is only ever extended.
const EXTEND: &str =
    "INSERT INTO revocation AS old (kind, subject, client_id, not_before, expires_at, seq)
     VALUES ($1, $2, $3, $4, $5, (SELECT last FROM revocation_counter))
     ON CONFLICT (kind, subject) DO UPDATE SET
     not_before = CASE WHEN excluded.not_before > old.not_before
                       THEN excluded.not_before ELSE old.not_before END,
     expires_at = CASE WHEN excluded.expires_at > old.expires_at
                       THEN excluded.expires_at ELSE old.expires_at END,
     seq = excluded.seq";

/// What one of a client makes superfluous.
const COVERED: &str = "DELETE FROM revocation WHERE kind = 'token' AND client_id = $1
     AND not_before <= $2 AND expires_at <= $3";

#[async_trait]
impl<E: Engine> RevocationStore for Sql<E> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let mut change = self.begin().await?;
        record(&mut change, revocation).await?;
        if let Revoked::Client(id) = &revocation.revoked {
            // A token that is being added meanwhile is waited for, and deleted with the others.
            let held = format!("SELECT id FROM client WHERE id = $1{}", E::FOR_UPDATE);
            change.write(AssertSqlSafe(held), &[id.into()]).await?;
            let sql = "DELETE FROM token WHERE client_id = $1 AND issued_at <= $2";
            let values = [id.into(), revocation.not_before.into()];
            change.write(sql, &values).await?;
        }
        change.commit().await
    }

    async fn revocations_after(&self, seq: i64) -> Result<Vec<NumberedRevocation>> {
        let sql = "SELECT kind, subject, client_id, not_before, expires_at, seq FROM revocation
             WHERE seq > $1 ORDER BY seq";
        self.read(sql, &[seq.into()], numbered).await
    }

    async fn delete_expired_revocations(&self, before: i64, limit: u32) -> Result<u64> {
        self.delete_ended("revocation", "kind, subject", before, limit)
            .await
    }

    async fn ping(&self) -> Result<()> {
        // Reads a page, so that a file that went away is noticed.
        let sql = "SELECT id FROM client LIMIT 1";
        self.first(sql, &[], |row| row.text("id")).await.map(drop)
    }
}

/// Writes a revocation down as a part of a change.
pub(super) async fn record<E: Engine>(
    change: &mut Change<'_, E>,
    revocation: &Revocation,
) -> Result<()> {
    let (kind, subject, client_id) = match &revocation.revoked {
        Revoked::Token { jti, client_id } => ("token", jti, client_id.as_str()),
        Revoked::Client(id) => ("client", id, ""),
        Revoked::Key(kid) => ("key", kid, ""),
    };
    let times = [revocation.not_before, revocation.expires_at].map(Value::from);
    change.write(COUNT, &[]).await?;
    let names = [kind.into(), subject.into(), client_id.into()];
    change.write(EXTEND, &[&names[..], &times].concat()).await?;
    if let Revoked::Client(id) = &revocation.revoked {
        let values = [&[id.into()][..], &times].concat();
        change.write(COVERED, &values).await?;
    }
    Ok(())
}

fn numbered<E: Engine>(row: &Row<'_, E>) -> Result<NumberedRevocation> {
    let subject = row.text("subject")?;
    let revoked = match row.text("kind")?.as_str() {
        "token" => Revoked::Token {
            jti: subject,
            client_id: row.text("client_id")?,
        },
        "client" => Revoked::Client(subject),
        "key" => Revoked::Key(subject),
        other => {
            return Err(StoreError::Damaged {
                table: "revocation",
                row: subject,
                problem: format!("kind {other:?} is unknown"),
            });
        }
    };
    Ok(NumberedRevocation {
        seq: row.number("seq")?,
        revocation: Revocation {
            revoked,
            not_before: row.number("not_before")?,
            expires_at: row.number("expires_at")?,
        },
    })
}
