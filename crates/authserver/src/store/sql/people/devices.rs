//! Devices that wait for their person.

use sqlx::AssertSqlSafe;

use crate::store::sql::{Engine, Row, Sql};
use crate::store::{DeviceRow, Insertion, Result};

/// Adds a device.
pub(super) async fn insert<E: Engine>(store: &Sql<E>, row: &DeviceRow) -> Result<Insertion> {
    let sql = "INSERT INTO device (digest, user_code, client_id, query, is_denied, expires_at)
         SELECT $1, $2, id, $4, $5, $6 FROM client WHERE id = $3 ON CONFLICT DO NOTHING";
    let values = [
        (&row.digest).into(),
        (&row.user_code).into(),
        (&row.client_id).into(),
        (&row.query).into(),
        row.is_denied.into(),
        row.expires_at.into(),
    ];
    Ok(Insertion::of(store.write(sql, &values).await?))
}

/// The device that one of its codes names.
pub(super) async fn find<E: Engine>(
    store: &Sql<E>,
    column: &'static str,
    value: &str,
) -> Result<Option<DeviceRow>> {
    let sql = format!(
        "SELECT digest, user_code, client_id, query, is_denied, expires_at FROM device
         WHERE {column} = $1"
    );
    store
        .first(AssertSqlSafe(sql), &[value.into()], device)
        .await
}

fn device<E: Engine>(row: &Row<'_, E>) -> Result<DeviceRow> {
    Ok(DeviceRow {
        digest: row.text("digest")?,
        user_code: row.text("user_code")?,
        client_id: row.text("client_id")?,
        query: row.text("query")?,
        is_denied: row.number("is_denied")? == 1,
        expires_at: row.number("expires_at")?,
    })
}
