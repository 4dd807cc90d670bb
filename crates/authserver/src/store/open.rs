//! From an address to a store. A database that was never migrated is refused: only `migrate sql`
//! changes tables, and never `serve` behind its back. What lives in memory migrates itself.

use std::sync::Arc;

use super::dsn::Dsn;
use super::sql::history;
use super::{Result, Store, postgres, sqlite};

/// A step in the life of a database's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number; steps are taken in this order.
    pub version: i64,
    /// What it brings, in a word or two.
    pub name: String,
    /// Whether the database has taken it.
    pub applied: bool,
}

/// Opens the store at an address. Each opening of `memory` is a store of its own, gone with the
/// last handle to it.
///
/// # Errors
/// `StoreError::Dsn`, with a sentence for people: the address is wrong, the file is missing, locked,
/// damaged or not writable, the server is out of reach or lets nobody in, or the tables are older or
/// newer than this program's.
pub async fn open(dsn: &str) -> Result<Arc<dyn Store>> {
    Ok(match Dsn::parse(dsn)? {
        Dsn::Memory => Arc::new(sqlite::in_memory().await?),
        Dsn::Sqlite(file) => Arc::new(sqlite::in_file(&file).await?),
        Dsn::Postgres(server) => Arc::new(postgres::open(&server).await?),
    })
}

/// All migrations with what the database at an address has taken of them. Changes nothing.
///
/// # Errors
/// As [`open`]; a file that is not there yet is no error.
pub async fn plan(dsn: &str) -> Result<Vec<Migration>> {
    match Dsn::parse(dsn)? {
        Dsn::Memory => Ok(history::all_applied()),
        Dsn::Sqlite(file) => sqlite::plan(&file).await,
        Dsn::Postgres(server) => postgres::plan(&server).await,
    }
}

/// Takes the migrations that are pending, each whole or not at all, and creates the file if it is
/// not there. Gives the plan as it stands afterwards.
///
/// # Errors
/// As [`open`].
pub async fn migrate(dsn: &str) -> Result<Vec<Migration>> {
    match Dsn::parse(dsn)? {
        Dsn::Memory => Ok(history::all_applied()),
        Dsn::Sqlite(file) => sqlite::migrate(&file).await,
        Dsn::Postgres(server) => postgres::migrate(&server).await,
    }
}
