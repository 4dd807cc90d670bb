//! Opaque tokens, one row each.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Engine, Row, Sql, failed};
use crate::store::{Result, StoreError, TokenRow, TokenStore};

#[async_trait]
impl<E: Engine> TokenStore for Sql<E> {
    async fn insert_token(&self, row: &TokenRow) -> Result<bool> {
        let (scopes, audiences) = (words(&row.scopes), words(&row.audiences));
        let ext = object(&row.ext);
        // One statement, so that a client cannot go between the look and the write.
        let added = self
            .try_write(
                "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at, ext)
             SELECT $1, id, $3, $4, $5, $6, $7 FROM client WHERE id = $2",
                &[
                    (&row.digest).into(),
                    (&row.client_id).into(),
                    (&scopes).into(),
                    (&audiences).into(),
                    row.issued_at.into(),
                    row.expires_at.into(),
                    (&ext).into(),
                ],
            )
            .await;
        match added {
            Ok(added) => Ok(added > 0),
            // Where writers work side by side, it can go all the same.
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => Ok(false),
            Err(error) => Err(failed::<E>(&self.name, &error)),
        }
    }

    async fn find_token(&self, digest: &str) -> Result<Option<TokenRow>> {
        let sql = "SELECT digest, client_id, scopes, audiences, issued_at, expires_at, ext
             FROM token WHERE digest = $1";
        self.first(sql, &[digest.into()], token).await
    }

    async fn delete_token(&self, digest: &str) -> Result<()> {
        let sql = "DELETE FROM token WHERE digest = $1";
        self.write(sql, &[digest.into()]).await.map(drop)
    }

    async fn delete_expired_tokens(&self, before: i64, limit: u32) -> Result<u64> {
        self.delete_expired("token", "digest", before, limit).await
    }
}

fn token<E: Engine>(row: &Row<'_, E>) -> Result<TokenRow> {
    let digest = row.text("digest")?;
    Ok(TokenRow {
        client_id: row.text("client_id")?,
        scopes: json(row, &digest, "scopes")?,
        audiences: json(row, &digest, "audiences")?,
        ext: json(row, &digest, "ext")?,
        issued_at: row.number("issued_at")?,
        expires_at: row.number("expires_at")?,
        digest,
    })
}

fn json<E: Engine, T: DeserializeOwned>(row: &Row<'_, E>, digest: &str, column: &str) -> Result<T> {
    serde_json::from_str(&row.text(column)?).map_err(|error| StoreError::Damaged {
        table: "token",
        row: digest.to_owned(),
        problem: format!("{column}: {error}"),
    })
}

/// A JSON object.
pub(super) fn object(members: &Map<String, Value>) -> String {
    Value::Object(members.clone()).to_string()
}

/// A JSON array.
pub(super) fn words(list: &[String]) -> String {
    Value::from(list).to_string()
}
