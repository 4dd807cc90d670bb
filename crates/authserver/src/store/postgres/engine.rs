//! PostgreSQL as the statements see it.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Row as _, SqlStr};

use super::{failure, text};
use crate::store::sql::{Engine, Value};

#[async_trait]
impl Engine for Postgres {
    // The lock is given back with the end of the change. Its number is ours alone.
    const BEGIN: &'static [&'static str] =
        &["BEGIN", "SELECT pg_advisory_xact_lock(4845026378427625)"];
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const SKIP_LOCKED: &'static str = " FOR UPDATE SKIP LOCKED";
    const TABLES: &'static str =
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()";
    const PATIENCE: Option<Duration> = Some(Duration::from_millis(1400));

    async fn execute(
        connection: &mut PgConnection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        let done = bound(sql, values).execute(connection).await?;
        Ok(done.rows_affected())
    }

    async fn rows(
        connection: &mut PgConnection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        bound(sql, values).fetch_all(connection).await
    }

    fn text(row: &PgRow, column: &str) -> Result<String, sqlx::Error> {
        row.try_get(column).map(text::read)
    }

    fn optional_text(row: &PgRow, column: &str) -> Result<Option<String>, sqlx::Error> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(text::read))
    }

    fn number(row: &PgRow, column: &str) -> Result<i64, sqlx::Error> {
        row.try_get(column)
    }

    fn sentence(name: &str, error: &sqlx::Error) -> String {
        failure::sentence(name, error)
    }
}

fn bound<'q>(sql: SqlStr, values: &[Value<'q>]) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Text(text) => query.bind(text::written(text)),
        Value::Absent => query.bind(None::<&str>),
        Value::Number(number) => query.bind(number),
    })
}
