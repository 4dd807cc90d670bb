//! What the statements ask of a database.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Database, SqlStr};

/// A parameter of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Value<'a> {
    /// Any text, also with characters that a database would refuse.
    Text(&'a str),
    /// A text that is not there.
    Absent,
    /// A number.
    Number(i64),
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Self::Text)
    }
}

impl From<bool> for Value<'_> {
    fn from(is: bool) -> Self {
        Self::Number(is.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// A database.
#[async_trait]
pub(in crate::store) trait Engine: Database {
    /// What begins a change of several statements so that these changes come one after the other.
    const BEGIN: &'static [&'static str];
    /// Ends a query of a change whose rows nobody else may take or refer to until its end.
    const FOR_UPDATE: &'static str;
    /// Ends a query that passes over rows which somebody else is changing.
    const SKIP_LOCKED: &'static str;
    /// The names of all tables, as `name`.
    const TABLES: &'static str;
    /// A call that takes longer has failed, and a connection that needs longer to be ready for
    /// the next is given up. `None` where every call comes back by itself.
    const PATIENCE: Option<Duration>;

    /// Runs a statement; says how many rows it changed.
    async fn execute(
        connection: &mut Self::Connection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error>;

    /// Reads the rows of a query.
    async fn rows(
        connection: &mut Self::Connection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<Self::Row>, sqlx::Error>;

    /// A column that is a text.
    fn text(row: &Self::Row, column: &str) -> Result<String, sqlx::Error>;

    /// A column that is a text or nothing.
    fn optional_text(row: &Self::Row, column: &str) -> Result<Option<String>, sqlx::Error>;

    /// A column that is a number.
    fn number(row: &Self::Row, column: &str) -> Result<i64, sqlx::Error>;

    /// A failure as one sentence that says what to do, without values of the call.
    fn sentence(name: &str, error: &sqlx::Error) -> String;
}
