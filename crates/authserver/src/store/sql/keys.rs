//! Sealed keys. The newest of a set is the one with the greatest position.

use async_trait::async_trait;

use super::{Engine, Row, Sql, Value};
use crate::store::{Insertion, KeyLife, KeyRow, KeyStore, Result};

/// Whatever is unique of a key.
pub(super) const INSERT: &str = "INSERT INTO key
     (key_set, kid, sealed, signs_from, lifetime, is_imported, follows)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING";
pub(super) const FIND: &str =
    "SELECT key_set, kid, sealed, signs_from, lifetime, is_imported, follows
     FROM key WHERE key_set = $1 AND kid = $2";
const DELETE: &str = "DELETE FROM key WHERE key_set = $1 AND kid = $2";
const DELETE_SET: &str = "DELETE FROM key WHERE key_set = $1";

#[async_trait]
impl<E: Engine> KeyStore for Sql<E> {
    async fn all_keys(&self) -> Result<Vec<KeyRow>> {
        let sql = "SELECT key_set, kid, sealed, signs_from, lifetime, is_imported, follows
             FROM key ORDER BY key_set, position DESC";
        self.read(sql, &[], key).await
    }

    async fn insert_key(&self, row: &KeyRow) -> Result<Insertion> {
        let added = self.write(INSERT, &values(row)).await?;
        Ok(Insertion::of(added))
    }

    async fn raise_key_lifetime(&self, set: &str, kid: &str, lifetime: i64) -> Result<()> {
        let sql = "UPDATE key SET lifetime = $1
             WHERE key_set = $2 AND kid = $3 AND lifetime < $1";
        let values = [lifetime.into(), set.into(), kid.into()];
        self.write(sql, &values).await.map(drop)
    }

    async fn reseal_key(&self, old: &KeyRow, sealed: &str) -> Result<bool> {
        let sql = "UPDATE key SET sealed = $1 WHERE key_set = $2 AND kid = $3 AND sealed = $4";
        let values = [sealed, &old.set, &old.kid, &old.sealed].map(Value::from);
        Ok(self.write(sql, &values).await? > 0)
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
            if change.write(INSERT, &values(row)).await? == 0 {
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

pub(super) fn values(row: &KeyRow) -> [Value<'_>; 7] {
    let KeyLife {
        signs_from,
        lifetime,
        is_imported,
        follows,
    } = &row.life;
    [
        (&row.set).into(),
        (&row.kid).into(),
        (&row.sealed).into(),
        (*signs_from).into(),
        (*lifetime).into(),
        (*is_imported).into(),
        follows.as_deref().into(),
    ]
}

pub(super) fn key<E: Engine>(row: &Row<'_, E>) -> Result<KeyRow> {
    Ok(KeyRow {
        set: row.text("key_set")?,
        kid: row.text("kid")?,
        sealed: row.text("sealed")?,
        life: KeyLife {
            signs_from: row.number("signs_from")?,
            lifetime: row.number("lifetime")?,
            is_imported: row.number("is_imported")? != 0,
            follows: row.optional_text("follows")?,
        },
    })
}
