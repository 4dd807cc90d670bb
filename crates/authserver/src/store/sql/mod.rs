//! The tables, and the statements over them that both databases understand. Knows SQL and rows; not
//! which database it speaks to: that is an [`Engine`], here `sqlite` or `postgres`.
//!
//! To add a table: a file of its number in both folders of `migrations`, its line in [`history`], and
//! the trait's methods in a file here. Parameters are `$1`, `$2`; columns are texts and numbers.

mod clients;
mod engine;
pub(super) mod history;
mod imports;
mod jtis;
mod keys;
mod lease;
mod people;
mod revocations;
mod tokens;

pub(super) use engine::{Engine, Value};

use std::sync::Mutex;

use sqlx::{AssertSqlSafe, Pool, SqlSafeStr};
use tokio_util::task::AbortOnDropHandle;

use self::lease::Lease;
use super::changes::{Changes, Teller};
use super::memory::Forgetting;
use super::{ChangeStore, ClientRow, Result, StoreError};

/// A store in a database.
#[derive(Debug)]
pub(super) struct Sql<E: Engine> {
    /// What errors call the database.
    pub(super) name: String,
    pub(super) writers: Pool<E>,
    pub(super) readers: Pool<E>,
    pub(super) teller: Teller,
    /// Where others may change something.
    pub(super) _watch: Option<AbortOnDropHandle<()>>,
    /// A database in memory lives as long as one connection to it: this one.
    pub(super) _anchor: Option<Mutex<E::Connection>>,
}

/// A row that was read.
struct Row<'a, E: Engine> {
    row: &'a E::Row,
    name: &'a str,
}

impl<E: Engine> Row<'_, E> {
    fn text(&self, column: &str) -> Result<String> {
        E::text(self.row, column).map_err(|error| failed::<E>(self.name, &error))
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>> {
        E::optional_text(self.row, column).map_err(|error| failed::<E>(self.name, &error))
    }

    fn number(&self, column: &str) -> Result<i64> {
        E::number(self.row, column).map_err(|error| failed::<E>(self.name, &error))
    }
}

impl<E: Engine> Sql<E> {
    /// Whoever changes a client holds this until the change is done.
    fn forgetting<'a>(&'a self, id: &'a str) -> Forgetting<'a, ClientRow> {
        self.teller.memories.clients.forgetting(id)
    }

    /// Runs a statement that is a change by itself; says how many rows it changed.
    async fn write(&self, sql: impl SqlSafeStr + Send, values: &[Value<'_>]) -> Result<u64> {
        self.try_write(sql, values)
            .await
            .map_err(|error| failed::<E>(&self.name, &error))
    }

    /// [`Self::write`] for those who can do something about a failure.
    async fn try_write(
        &self,
        sql: impl SqlSafeStr + Send,
        values: &[Value<'_>],
    ) -> std::result::Result<u64, sqlx::Error> {
        let sql = sql.into_sql_str();
        lease::patiently::<E, _>(async {
            let mut connection = Lease::<E>::take(&self.writers).await?;
            E::execute(connection.get()?, sql, values).await
        })
        .await
    }

    /// Reads all rows of a query.
    async fn read<T: Send>(
        &self,
        sql: impl SqlSafeStr + Send,
        values: &[Value<'_>],
        map: fn(&Row<'_, E>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let sql = sql.into_sql_str();
        let rows = lease::patiently::<E, _>(async {
            let mut connection = Lease::<E>::take(&self.readers).await?;
            E::rows(connection.get()?, sql, values).await
        })
        .await
        .map_err(|error| failed::<E>(&self.name, &error))?;
        let name = self.name.as_str();
        rows.iter().map(|row| map(&Row { row, name })).collect()
    }

    /// Reads the first row of a query.
    async fn first<T: Send>(
        &self,
        sql: impl SqlSafeStr + Send,
        values: &[Value<'_>],
        map: fn(&Row<'_, E>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.read(sql, values, map).await?.into_iter().next())
    }

    /// Begins a change of several statements. These changes happen one after the other. Dropped
    /// before its commit, nothing of it happened.
    async fn begin(&self) -> Result<Change<'_, E>> {
        let begun = lease::patiently::<E, _>(async {
            let mut connection = Lease::<E>::take(&self.writers).await?;
            for sql in E::BEGIN {
                E::execute(connection.get_unfinished()?, sql.into_sql_str(), &[]).await?;
            }
            Ok(connection)
        });
        let connection = begun
            .await
            .map_err(|error| failed::<E>(&self.name, &error))?;
        Ok(Change {
            connection,
            name: &self.name,
        })
    }

    /// Deletes at most so many rows of a table whose end lies before a time, the oldest first, and
    /// says how many these were.
    async fn delete_ended(
        &self,
        table: &'static str,
        key: &'static str,
        before: i64,
        limit: u32,
    ) -> Result<u64> {
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table}
             WHERE expires_at < $1 ORDER BY expires_at LIMIT $2{})",
            E::SKIP_LOCKED
        );
        let values = [before.into(), limit.into()];
        self.write(AssertSqlSafe(sql), &values).await
    }
}

/// A change of several statements.
struct Change<'a, E: Engine> {
    connection: Lease<E>,
    name: &'a str,
}

impl<E: Engine> Change<'_, E> {
    /// Runs a statement; says how many rows it changed.
    async fn write(&mut self, sql: impl SqlSafeStr + Send, values: &[Value<'_>]) -> Result<u64> {
        let sql = sql.into_sql_str();
        let connection = &mut self.connection;
        lease::patiently::<E, _>(async {
            E::execute(connection.get_unfinished()?, sql, values).await
        })
        .await
        .map_err(|error| failed::<E>(self.name, &error))
    }

    /// Reads all rows of a query.
    async fn read<T: Send>(
        &mut self,
        sql: impl SqlSafeStr + Send,
        values: &[Value<'_>],
        map: fn(&Row<'_, E>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let sql = sql.into_sql_str();
        let connection = &mut self.connection;
        let rows = lease::patiently::<E, _>(async {
            E::rows(connection.get_unfinished()?, sql, values).await
        })
        .await
        .map_err(|error| failed::<E>(self.name, &error))?;
        let name = self.name;
        rows.iter().map(|row| map(&Row { row, name })).collect()
    }

    /// Reads the first row of a query.
    async fn first<T: Send>(
        &mut self,
        sql: impl SqlSafeStr + Send,
        values: &[Value<'_>],
        map: fn(&Row<'_, E>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.read(sql, values, map).await?.into_iter().next())
    }

    /// Makes the change last.
    async fn commit(mut self) -> Result<()> {
        self.write("COMMIT", &[]).await?;
        self.connection.finish();
        Ok(())
    }

    /// Takes the change back.
    async fn rollback(mut self) -> Result<()> {
        self.write("ROLLBACK", &[]).await?;
        self.connection.finish();
        Ok(())
    }
}

impl<E: Engine> ChangeStore for Sql<E> {
    fn changes(&self) -> Changes {
        self.teller.follow()
    }
}

fn failed<E: Engine>(name: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(E::sentence(name, error))
}
