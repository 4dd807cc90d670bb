//! Consents.

use sqlx::AssertSqlSafe;

use super::{document, exchange};
use crate::store::sql::{Change, Engine, Row, Sql, Value, tokens};
use crate::store::{CodeRow, ConsentQuery, ConsentRow, ConsentsOf, Result};

const COLUMNS: &str = "id, subject, client_id, session_id, document, is_skipped,
     remembered_until, handled_at, ended_at, expires_at";

/// Adds a consent and its code, unless the client is gone.
pub(super) async fn insert<E: Engine>(
    store: &Sql<E>,
    row: &ConsentRow,
    code: Option<&CodeRow>,
) -> Result<bool> {
    let mut change = store.begin().await?;
    let document = tokens::object(&row.document);
    let sql = format!(
        "INSERT INTO consent ({COLUMNS})
         SELECT $1, $2, id, $4, $5, $6, $7, $8, $9, $10 FROM client WHERE id = $3"
    );
    let values = [
        (&row.id).into(),
        (&row.subject).into(),
        (&row.client_id).into(),
        (&row.session_id).into(),
        (&document).into(),
        row.is_skipped.into(),
        row.remembered_until.into(),
        row.handled_at.into(),
        row.ended_at.into(),
        row.expires_at.into(),
    ];
    if change.write(AssertSqlSafe(sql), &values).await? == 0 {
        change.rollback().await?;
        return Ok(false);
    }
    if let Some(code) = code {
        insert_code(&mut change, code).await?;
    }
    change.commit().await?;
    Ok(true)
}

async fn insert_code<E: Engine>(change: &mut Change<'_, E>, row: &CodeRow) -> Result<()> {
    let document = tokens::object(&row.document);
    let sql = "INSERT INTO code (digest, consent_id, document, used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)";
    let values = [
        (&row.digest).into(),
        (&row.consent_id).into(),
        (&document).into(),
        row.used_at.into(),
        row.expires_at.into(),
    ];
    change.write(sql, &values).await.map(drop)
}

/// The consent of an id.
pub(super) async fn find<E: Engine>(store: &Sql<E>, id: &str) -> Result<Option<ConsentRow>> {
    let sql = format!("SELECT {COLUMNS} FROM consent WHERE id = $1");
    let values = [id.into()];
    store.first(AssertSqlSafe(sql), &values, consent).await
}

/// The newest one of a person to a client that stands for others.
pub(super) async fn remembered<E: Engine>(
    store: &Sql<E>,
    [subject, client_id]: [&str; 2],
    now: i64,
) -> Result<Option<ConsentRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM consent WHERE subject = $1 AND client_id = $2
         AND remembered_until > $3 ORDER BY handled_at DESC, id LIMIT 1"
    );
    let values = [subject.into(), client_id.into(), now.into()];
    store.first(AssertSqlSafe(sql), &values, consent).await
}

/// Those that were asked for.
pub(super) async fn list<E: Engine>(
    store: &Sql<E>,
    query: &ConsentQuery,
) -> Result<Vec<ConsentRow>> {
    let mut values = Vec::new();
    let most = i64::from(query.with_skipped);
    values.push(Value::from(most));
    let mut sql = format!("SELECT {COLUMNS} FROM consent WHERE is_skipped <= $1");
    for (condition, value) in [
        ("subject =", &query.subject),
        ("client_id =", &query.client_id),
        ("session_id =", &query.session_id),
        ("id >", &query.after),
    ] {
        if let Some(value) = value {
            values.push(Value::from(value));
            sql += &format!(" AND {condition} ${}", values.len());
        }
    }
    values.push(query.limit.into());
    sql += &format!(" ORDER BY id LIMIT ${}", values.len());
    store.read(AssertSqlSafe(sql), &values, consent).await
}

/// Deletes consents, and ends their tokens first.
pub(super) async fn revoke<E: Engine>(store: &Sql<E>, of: &ConsentsOf, now: i64) -> Result<()> {
    let mut change = store.begin().await?;
    let mut values = vec![Value::from(&of.subject)];
    let mut which = "subject = $1".to_owned();
    if let Some(client_id) = &of.client_id {
        values.push(client_id.into());
        which += " AND client_id = $2";
    }
    let sql = format!("SELECT id FROM consent WHERE {which}");
    let ids = change.read(AssertSqlSafe(sql), &values, |row| row.text("id"));
    for id in ids.await? {
        exchange::end(&mut change, &id, now).await?;
    }
    let sql = format!("DELETE FROM consent WHERE {which}");
    change.write(AssertSqlSafe(sql), &values).await?;
    change.commit().await
}

fn consent<E: Engine>(row: &Row<'_, E>) -> Result<ConsentRow> {
    let id = row.text("id")?;
    Ok(ConsentRow {
        subject: row.text("subject")?,
        client_id: row.text("client_id")?,
        session_id: row.text("session_id")?,
        document: document(row, "consent", &id)?,
        is_skipped: row.number("is_skipped")? == 1,
        remembered_until: row.number("remembered_until")?,
        handled_at: row.number("handled_at")?,
        ended_at: row.number("ended_at")?,
        expires_at: row.number("expires_at")?,
        id,
    })
}
