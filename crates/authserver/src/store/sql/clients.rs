//! Clients: the JSON document of the admin API, and the columns that queries need.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use super::{Engine, Row, Sql, Value, revocations};
use crate::store::{
    ClientQuery, ClientRow, ClientStore, Insertion, Result, Revocation, Revoked, RotatedSecret,
    StoreError,
};

pub(super) const INSERT: &str =
    "INSERT INTO client (id, name, owner, secret_hash, rotated_secrets, document)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
pub(super) const FIND: &str =
    "SELECT id, secret_hash, rotated_secrets, document FROM client WHERE id = $1";

const UPDATE: &str = "UPDATE client
     SET name = $2, owner = $3, secret_hash = $4, rotated_secrets = $5, document = $6
     WHERE id = $1";

#[async_trait]
impl<E: Engine> ClientStore for Sql<E> {
    async fn insert_client(&self, row: &ClientRow) -> Result<Insertion> {
        let _forgetting = self.forgetting(&row.client.client_id);
        let columns = Columns::of(row)?;
        let added = self.write(INSERT, &columns.values()).await?;
        Ok(Insertion::of(added))
    }

    async fn find_client(&self, id: &str) -> Result<Option<ClientRow>> {
        self.first(FIND, &[id.into()], client).await
    }

    async fn known_client(&self, id: &str) -> Result<Option<Arc<ClientRow>>> {
        let values = [id.into()];
        let read = self.first(FIND, &values, sized);
        self.teller.memories.clients.find(id, read).await
    }

    async fn replace_client(&self, old: &ClientRow, new: &ClientRow) -> Result<bool> {
        let id = old.client.client_id.as_str();
        let _forgetting = self.forgetting(id);
        let mut change = self.begin().await?;
        let held = format!("{FIND}{}", E::FOR_UPDATE);
        let key = [id.into()];
        let stored = change.first(AssertSqlSafe(held), &key, client).await?;
        let is_same = match &stored {
            // What it says counts: a text of an earlier version may say the same in other words.
            Some(stored) => Columns::of(stored)?.values() == Columns::of(old)?.values(),
            None => false,
        };
        if !is_same {
            change.rollback().await?;
            return Ok(false);
        }
        change.write(UPDATE, &Columns::of(new)?.values()).await?;
        change.commit().await?;
        Ok(true)
    }

    async fn replace_secret_hash(&self, id: &str, old: &str, new: &str) -> Result<bool> {
        let _forgetting = self.forgetting(id);
        let changed = self
            .write(
                "UPDATE client SET secret_hash = $3 WHERE id = $1 AND secret_hash = $2",
                &[id.into(), old.into(), new.into()],
            )
            .await?;
        Ok(changed > 0)
    }

    async fn replace_rotated(
        &self,
        id: &str,
        old: &[RotatedSecret],
        new: &[RotatedSecret],
    ) -> Result<bool> {
        let _forgetting = self.forgetting(id);
        let (old, new) = (rotated(id, old)?, rotated(id, new)?);
        let changed = self
            .write(
                "UPDATE client SET rotated_secrets = $3 WHERE id = $1 AND rotated_secrets = $2",
                &[id.into(), (&old).into(), (&new).into()],
            )
            .await?;
        Ok(changed > 0)
    }

    async fn delete_client(&self, id: &str, not_before: i64, expires_at: i64) -> Result<bool> {
        let _forgetting = self.forgetting(id);
        let mut change = self.begin().await?;
        // Its tokens go with it: their rows refer to it, ON DELETE CASCADE.
        let deleted = change
            .write("DELETE FROM client WHERE id = $1", &[id.into()])
            .await?;
        if deleted == 0 {
            change.rollback().await?;
            return Ok(false);
        }
        let revocation = Revocation {
            revoked: Revoked::Client(id.to_owned()),
            not_before,
            expires_at,
        };
        revocations::record(&mut change, &revocation).await?;
        change.commit().await?;
        Ok(true)
    }

    async fn list_clients(&self, query: &ClientQuery) -> Result<Vec<ClientRow>> {
        let (mut narrowed, mut values) = narrow(query);
        if let Some(after) = &query.after {
            values.push(after.into());
            narrowed += &format!(" AND id > ${}", values.len());
        }
        values.extend([Value::from(query.limit), Value::from(query.offset)]);
        let (limit, offset) = (values.len() - 1, values.len());
        let sql = format!(
            "SELECT id, secret_hash, rotated_secrets, document FROM client
             WHERE TRUE{narrowed} ORDER BY id LIMIT ${limit} OFFSET ${offset}"
        );
        self.read(AssertSqlSafe(sql), &values, client).await
    }

    async fn count_clients(&self, query: &ClientQuery) -> Result<u64> {
        let (narrowed, values) = narrow(query);
        let sql = format!("SELECT count(*) AS clients FROM client WHERE TRUE{narrowed}");
        let counted = self.first(AssertSqlSafe(sql), &values, |row| row.number("clients"));
        let count = counted.await?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// Only conditions that were asked for, so that the index of one of them serves.
fn narrow(query: &ClientQuery) -> (String, Vec<Value<'_>>) {
    let (mut sql, mut values) = (String::new(), Vec::new());
    for (column, value) in [("name", &query.name), ("owner", &query.owner)] {
        if let Some(value) = value {
            values.push(value.into());
            sql += &format!(" AND {column} = ${}", values.len());
        }
    }
    (sql, values)
}

/// What is written of a client.
pub(super) struct Columns<'a> {
    row: &'a ClientRow,
    rotated: String,
    /// Never holds a secret, whatever the caller left in it.
    document: String,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a ClientRow) -> Result<Self> {
        let id = &row.client.client_id;
        Ok(Self {
            row,
            rotated: rotated(id, &row.rotated)?,
            document: serde_json::to_string(&row.client.clone().as_stored())
                .map_err(|error| damaged(id, &error))?,
        })
    }

    pub(super) fn values(&self) -> [Value<'_>; 6] {
        let client = &self.row.client;
        [
            &client.client_id,
            &client.client_name,
            &client.owner,
            &self.row.secret_hash,
            &self.rotated,
            &self.document,
        ]
        .map(Value::from)
    }
}

pub(super) fn client<E: Engine>(row: &Row<'_, E>) -> Result<ClientRow> {
    let id = row.text("id")?;
    let (document, rotated) = (row.text("document")?, row.text("rotated_secrets")?);
    let client = serde_json::from_str(&document).map_err(|error| damaged(&id, &error))?;
    let rotated = serde_json::from_str(&rotated).map_err(|error| damaged(&id, &error))?;
    Ok(ClientRow {
        client,
        secret_hash: row.text("secret_hash")?,
        rotated,
    })
}

/// A client, and the length of its document.
fn sized<E: Engine>(row: &Row<'_, E>) -> Result<(ClientRow, usize)> {
    Ok((client(row)?, row.text("document")?.len()))
}

fn rotated(id: &str, secrets: &[RotatedSecret]) -> Result<String> {
    serde_json::to_string(secrets).map_err(|error| damaged(id, &error))
}

fn damaged(id: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        table: "client",
        row: id.to_owned(),
        problem: error.to_string(),
    }
}
