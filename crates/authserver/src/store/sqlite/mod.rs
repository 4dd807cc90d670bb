//! SQLite: a file, or private memory for `DSN=memory`.
//!
//! One connection writes, a few read beside it. What is acknowledged is on the disk: the
//! write-ahead log is synchronised at each commit, and a change of several statements is one
//! transaction. A call gives up within two seconds: [`ACQUIRE`] for a connection, and
//! `dsn::BUSY_TIMEOUT` for a lock of another process.

mod engine;
mod failure;
mod migration;
mod private;
mod watch;

pub(super) use migration::{migrate, plan};

use std::path::Path;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite};

use super::Result;
use super::changes::Teller;
use super::dsn::SqliteFile;
use super::sql::Sql;

const ACQUIRE: Duration = Duration::from_secs(1);
const READERS: u32 = 4;
/// SQLite opens a file that it may not write for reading, and fails at the first write: at this one.
const WRITE_NOTHING: &str = "UPDATE _sqlx_migrations SET success = success WHERE FALSE";

/// An empty, migrated database in memory that no other opening sees.
pub(super) async fn in_memory() -> Result<Sql<Sqlite>> {
    let name = "memory".to_owned();
    let failed = |error| failure::of_opening(&name, &error);
    // This text gives each reading a database of its own.
    let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(failed)?;
    let mut anchor = options.connect().await.map_err(failed)?;
    migration::apply(&name, &mut anchor).await?;
    // Connections that share a cache lock each other's tables, so there is but one.
    let only = pool(1).connect_with(options).await.map_err(failed)?;
    Ok(Sql {
        name,
        writers: only.clone(),
        readers: only,
        teller: Teller::default(),
        _watch: None,
        _anchor: Some(Mutex::new(anchor)),
    })
}

/// The database in a file that `migrate sql` has prepared.
pub(super) async fn in_file(file: &SqliteFile) -> Result<Sql<Sqlite>> {
    let name = shown(&file.path);
    migration::require_all_applied(file).await?;
    private::make(&file.path).await?;
    let failed = |error| failure::of_opening(&name, &error);
    let writer = pool(1).connect_with(writing(file)).await.map_err(failed)?;
    sqlx::query(WRITE_NOTHING)
        .execute(&writer)
        .await
        .map_err(failed)?;
    let readers = pool(READERS)
        .connect_with(reading(file))
        .await
        .map_err(failed)?;
    let teller = Teller::default();
    Ok(Sql {
        name,
        writers: writer,
        readers,
        teller: teller.clone(),
        _watch: Some(watch::spawn(file.clone(), teller)),
        _anchor: None,
    })
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file cannot hang up.
        .test_before_acquire(false)
}

fn writing(file: &SqliteFile) -> SqliteConnectOptions {
    visiting(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}

fn reading(file: &SqliteFile) -> SqliteConnectOptions {
    visiting(file).pragma("query_only", "ON")
}

/// Changes nothing by itself. Not `read_only`: what a crash left half written could not be undone.
fn visiting(file: &SqliteFile) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&file.path)
        .busy_timeout(file.busy_timeout)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_may_not_be_written_is_noticed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile {
            path: folder.path().join("db.sqlite"),
            busy_timeout: Duration::from_millis(20),
        };
        migrate(&file).await.unwrap();
        let mut connection = visiting(&file).read_only(true).connect().await.unwrap();
        let error = sqlx::query(WRITE_NOTHING)
            .execute(&mut connection)
            .await
            .unwrap_err();
        let sentence = failure::of_opening("db", &error).to_string();
        assert!(sentence.contains("cannot be written"), "{sentence}");
    }
}
