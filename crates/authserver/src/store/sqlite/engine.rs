//! SQLite as the statements see it.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row as _, SqlStr, Sqlite};

use super::failure;
use crate::store::sql::{Engine, Value};

#[async_trait]
impl Engine for Sqlite {
    // A plain BEGIN takes the write lock with the first write, too late to wait for it.
    const BEGIN: &'static [&'static str] = &["BEGIN IMMEDIATE"];
    const FOR_UPDATE: &'static str = "";
    const SKIP_LOCKED: &'static str = "";
    const TABLES: &'static str = "SELECT name FROM sqlite_schema";
    // A file answers, or fails by itself after its busy timeout.
    const PATIENCE: Option<Duration> = None;

    async fn execute(
        connection: &mut SqliteConnection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        let done = bound(sql, values).execute(connection).await?;
        Ok(done.rows_affected())
    }

    async fn rows(
        connection: &mut SqliteConnection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        bound(sql, values).fetch_all(connection).await
    }

    fn text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
        row.try_get(column)
    }

    fn optional_text(row: &SqliteRow, column: &str) -> Result<Option<String>, sqlx::Error> {
        row.try_get(column)
    }

    fn number(row: &SqliteRow, column: &str) -> Result<i64, sqlx::Error> {
        row.try_get(column)
    }

    fn sentence(name: &str, error: &sqlx::Error) -> String {
        failure::sentence(name, error)
    }
}

fn bound<'q>(sql: SqlStr, values: &[Value<'q>]) -> Query<'q, Sqlite, SqliteArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Text(text) => query.bind(text),
        Value::Absent => query.bind(None::<&str>),
        Value::Number(number) => query.bind(number),
    })
}
