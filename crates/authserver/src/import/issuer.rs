//! `hydra_oauth2_trusted_jwt_bearer_issuer`: whose assertions are believed.

use super::ImportError;
use super::row::Row;
use super::source::Table;
use crate::store::TrustedIssuerRow;

/// Trusted issuers. Their public keys are in `hydra_jwk`.
pub(super) static TABLE: Table = Table {
    name: "hydra_oauth2_trusted_jwt_bearer_issuer",
    name_columns: &["id"],
    columns: &[
        "id",
        "issuer",
        "subject",
        "allow_any_subject",
        "scope",
        "key_set",
        "key_id",
        "created_at",
        "expires_at",
    ],
    order: "id",
};

/// A row as our store keeps it.
pub(super) fn read(row: &Row) -> Result<TrustedIssuerRow, ImportError> {
    let text = |column| row.text(column).to_owned();
    let time = |column| Ok::<_, ImportError>(row.time(column)?.unwrap_or_default().as_second());
    Ok(TrustedIssuerRow {
        id: text("id"),
        issuer: text("issuer"),
        subject: text("subject"),
        any_subject: row.flag("allow_any_subject"),
        scopes: row.list("scope")?,
        key_set: text("key_set"),
        kid: text("key_id"),
        created_at: time("created_at")?,
        expires_at: time("expires_at")?,
    })
}
