//! Sealed keys. The newest of a set is the one with the greatest position.

use async_trait::async_trait;

use super::{Engine, Row, Sql, Value};
use crate::store::{Insertion, KeyRow, KeyStore, Result};

pub(super) const INSERT: &str = "INSERT INTO key (key_set, kid, sealed) VALUES ($1, $2, $3)
     ON CONFLICT (key_set, kid) DO NOTHING";
const DELETE: &str = "DELETE FROM key WHERE key_set = $1 AND kid = $2";
const DELETE_SET: &str = "DELETE FROM key WHERE key_set = $1";

#[async_trait]
impl<E: Engine> KeyStore for Sql<E> {
    async fn all_keys(&self) -> Result<Vec<KeyRow>> {
        let sql = "SELECT key_set, kid, sealed FROM key ORDER BY key_set, position DESC";
        self.read(sql, &[], key).await
    }

    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion> {
        let added = self.write(INSERT, &values(row)).await?;
        Ok(Insertion::of(added))
    }

    async fn put_key(&self, row: &KeyRow) -> Result<()> {
        // A row of its own, so that it gets a position above all others.
        let mut change = self.begin().await?;
        let (set, kid) = (&row.set, &row.kid);
        change.write(DELETE, &[set.into(), kid.into()]).await?;
        change.write(INSERT, &values(row)).await?;
        change.commit().await
    }

    async fn replace_key_set(&self, set: &str, rows: &[KeyRow]) -> Result<Insertion> {
        let mut change = self.begin().await?;
        change.write(DELETE_SET, &[set.into()]).await?;
        for row in rows.iter().rev() {
            let values = [set, &row.kid, &row.sealed].map(Value::from);
            if change.write(INSERT, &values).await? == 0 {
                change.rollback().await?;
                return Ok(Insertion::Conflict);
            }
        }
        change.commit().await?;
        Ok(Insertion::Done)
    }

    async fn delete_key_set(&self, set: &str) -> Result<()> {
        self.write(DELETE_SET, &[set.into()]).await.map(drop)
    }

    async fn delete_key(&self, set: &str, kid: &str) -> Result<()> {
        let values = [set, kid].map(Value::from);
        self.write(DELETE, &values).await.map(drop)
    }
}

pub(super) fn values(row: &KeyRow) -> [Value<'_>; 3] {
    [&row.set, &row.kid, &row.sealed].map(Value::from)
}

pub(super) fn key<E: Engine>(row: &Row<'_, E>) -> Result<KeyRow> {
    Ok(KeyRow {
        set: row.text("key_set")?,
        kid: row.text("kid")?,
        sealed: row.text("sealed")?,
    })
}
