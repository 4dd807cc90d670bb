//! Opaque tokens, one row each.

use async_trait::async_trait;
use carnet_oauth::Confirmation;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Engine, Row, Sql, failed};
use crate::store::{Holder, Result, StoreError, TokenRow, TokenStore};

/// One statement, so that a client cannot go between the look and the write.
pub(super) const INSERT: &str =
    "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at, ext,
                        subject, consent_id, jti, confirmation)
     SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM client WHERE id = $2";

/// The same for a client that is being imported, unless the token is there.
pub(super) const IMPORT: &str =
    "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at, ext,
                        subject, consent_id, jti, confirmation)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (digest) DO NOTHING";

const FIND: &str = "SELECT digest, client_id, scopes, audiences, issued_at, expires_at, ext,
                           subject, consent_id, jti, confirmation
     FROM token WHERE digest = $1";

/// The tokens of a consent.
pub(super) const OF_CONSENT: &str =
    "SELECT digest, client_id, scopes, audiences, issued_at, expires_at, ext,
            subject, consent_id, jti, confirmation
     FROM token WHERE consent_id = $1 AND consent_id <> ''";

/// What is written of a token.
pub(super) struct Columns {
    scopes: String,
    audiences: String,
    ext: String,
    confirmation: String,
}

impl Columns {
    pub(super) fn of(row: &TokenRow) -> Self {
        Self {
            scopes: words(&row.scopes),
            audiences: words(&row.audiences),
            ext: object(&row.ext),
            confirmation: confirmed(&row.confirmation),
        }
    }

    pub(super) fn values<'a>(&'a self, row: &'a TokenRow) -> [super::Value<'a>; 11] {
        [
            (&row.digest).into(),
            (&row.client_id).into(),
            (&self.scopes).into(),
            (&self.audiences).into(),
            row.issued_at.into(),
            row.expires_at.into(),
            (&self.ext).into(),
            (&row.holder.subject).into(),
            (&row.holder.consent_id).into(),
            (&row.holder.jti).into(),
            (&self.confirmation).into(),
        ]
    }
}

#[async_trait]
impl<E: Engine> TokenStore for Sql<E> {
    async fn insert_token(&self, row: &TokenRow) -> Result<bool> {
        let added = self.try_write(INSERT, &Columns::of(row).values(row)).await;
        match added {
            Ok(added) => Ok(added > 0),
            // Where writers work side by side, it can go all the same.
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => Ok(false),
            Err(error) => Err(failed::<E>(&self.name, &error)),
        }
    }

    async fn find_token(&self, digest: &str) -> Result<Option<TokenRow>> {
        self.first(FIND, &[digest.into()], token).await
    }

    async fn delete_token(&self, digest: &str) -> Result<()> {
        let sql = "DELETE FROM token WHERE digest = $1";
        self.write(sql, &[digest.into()]).await.map(drop)
    }

    async fn delete_expired_tokens(&self, before: i64, limit: u32) -> Result<u64> {
        self.delete_ended("token", "digest", before, limit).await
    }
}

pub(super) fn token<E: Engine>(row: &Row<'_, E>) -> Result<TokenRow> {
    let digest = row.text("digest")?;
    Ok(TokenRow {
        client_id: row.text("client_id")?,
        scopes: json(row, &digest, "scopes")?,
        audiences: json(row, &digest, "audiences")?,
        ext: json(row, &digest, "ext")?,
        confirmation: confirmation(row, "token", &digest)?,
        issued_at: row.number("issued_at")?,
        expires_at: row.number("expires_at")?,
        holder: Holder {
            subject: row.text("subject")?,
            consent_id: row.text("consent_id")?,
            jti: row.text("jti")?,
        },
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

/// What a row of a table says of its claim `cnf`.
pub(super) fn confirmation<E: Engine>(
    row: &Row<'_, E>,
    table: &'static str,
    digest: &str,
) -> Result<Confirmation> {
    serde_json::from_str(&row.text("confirmation")?).map_err(|error| StoreError::Damaged {
        table,
        row: digest.to_owned(),
        problem: format!("confirmation: {error}"),
    })
}

/// A claim `cnf`.
pub(super) fn confirmed(confirmation: &Confirmation) -> String {
    // Two texts are always JSON.
    serde_json::to_string(confirmation).unwrap_or_default()
}

/// A JSON object.
pub(super) fn object(members: &Map<String, Value>) -> String {
    Value::Object(members.clone()).to_string()
}

/// A JSON array.
pub(super) fn words(list: &[String]) -> String {
    Value::from(list).to_string()
}
