//! The tables' history. To change a table: add a file to `store/migrations/sqlite` and a line to
//! [`FILES`]; files that were released never change.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use sqlx::migrate::{MigrateError, Migration as Step, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use super::{failure, shown, visiting, writing};
use crate::store::dsn::{SqliteFile, refused};
use crate::store::open::Migration;
use crate::store::{Result, StoreError};

const FILES: &[(i64, &str, &str)] = &[
    (
        1,
        "clients",
        include_str!("../migrations/sqlite/0001_clients.sql"),
    ),
    (
        2,
        "keys",
        include_str!("../migrations/sqlite/0002_keys.sql"),
    ),
    (
        3,
        "tokens",
        include_str!("../migrations/sqlite/0003_tokens.sql"),
    ),
    (
        4,
        "revocations",
        include_str!("../migrations/sqlite/0004_revocations.sql"),
    ),
    (
        5,
        "jtis",
        include_str!("../migrations/sqlite/0005_jtis.sql"),
    ),
    (
        6,
        "rotated_secrets",
        include_str!("../migrations/sqlite/0006_rotated_secrets.sql"),
    ),
    (
        9,
        "token_claims",
        include_str!("../migrations/sqlite/0009_token_claims.sql"),
    ),
];

/// The plan of a database that has everything.
pub(in crate::store) fn all_applied() -> Vec<Migration> {
    rows(|_| true)
}

/// The plan of a file, which need not be there.
pub(in crate::store) async fn plan(file: &SqliteFile) -> Result<Vec<Migration>> {
    if !is_file(file).await? {
        return Ok(rows(|_| false));
    }
    let name = shown(&file.path);
    let failed = |error| failure::of_opening(&name, error);
    let mut connection = visiting(file).connect().await.map_err(failed)?;
    let plan = read_plan(&name, &mut connection).await;
    // A reader that goes last may find nothing to tidy up and says so; its answer stands.
    let _ = connection.close().await;
    plan
}

/// Brings a file up to date, after creating it where it is not there.
pub(in crate::store) async fn migrate(file: &SqliteFile) -> Result<Vec<Migration>> {
    if is_file(file).await? {
        plan(file).await?;
    } else {
        create(file).await?;
    }
    let name = shown(&file.path);
    let failed = |error| failure::of_opening(&name, error);
    let mut connection = writing(file).connect().await.map_err(failed)?;
    apply(&name, &mut connection).await?;
    let plan = read_plan(&name, &mut connection).await?;
    connection.close().await.map_err(failed)?;
    Ok(plan)
}

/// Takes what is pending; each step in a transaction of its own.
pub(super) async fn apply(name: &str, connection: &mut SqliteConnection) -> Result<()> {
    let steps = FILES
        .iter()
        .map(|(version, word, sql)| {
            let kind = MigrationType::Simple;
            Step::new(*version, (*word).into(), kind, sql.into_sql_str(), false)
        })
        .collect();
    let migrator = Migrator::with_migrations(steps);
    // What `run` does, without its bound by which the compiler takes the future to be bound to one
    // thread.
    let applied = migrator.run_direct(None, connection, false).await;
    applied.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            failure::of_opening(name, error)
        }
        other => refused(format!("database `{name}`: {other}")),
    })
}

/// Refuses a file that is not there or not up to date.
pub(super) async fn require_all_applied(file: &SqliteFile) -> Result<()> {
    let name = shown(&file.path);
    if !is_file(file).await? {
        return Err(refused(format!(
            "there is no database `{name}`: create it with `migrate sql` and the same DSN"
        )));
    }
    let plan = plan(file).await?;
    match plan.iter().filter(|migration| !migration.applied).count() {
        0 => Ok(()),
        pending => Err(refused(format!(
            "database `{name}` lacks {pending} of {} migrations: run `migrate sql` with the same DSN first",
            plan.len()
        ))),
    }
}

async fn read_plan(name: &str, connection: &mut SqliteConnection) -> Result<Vec<Migration>> {
    let failed = |error| failure::of_opening(name, error);
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
    let has = |table: &str| tables.iter().any(|name| name == table);
    if !has("_sqlx_migrations") {
        if tables.is_empty() {
            return Ok(rows(|_| false));
        }
        let whose = if has("hydra_client") {
            "Ory Hydra"
        } else {
            "another program"
        };
        return Err(refused(format!(
            "database `{name}` was written by {whose}: name a file of its own for this server"
        )));
    }
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    let applied: BTreeMap<i64, Vec<u8>> = applied.into_iter().collect();
    let newest = FILES.last().map_or(0, |(version, ..)| *version);
    if applied.keys().any(|version| *version > newest) {
        return Err(refused(format!(
            "database `{name}` was written by a newer version of this program: use that or a newer one"
        )));
    }
    Ok(rows(|version| applied.contains_key(&version)))
}

fn rows(applied: impl Fn(i64) -> bool) -> Vec<Migration> {
    FILES
        .iter()
        .map(|(version, word, _)| Migration {
            version: *version,
            name: (*word).to_owned(),
            applied: applied(*version),
        })
        .collect()
}

async fn is_file(file: &SqliteFile) -> Result<bool> {
    match tokio::fs::metadata(&file.path).await {
        Ok(found) if found.is_dir() => Err(refused(format!(
            "database `{}` is a folder: name a file in it",
            shown(&file.path)
        ))),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(inaccessible(file, &error)),
    }
}

/// Creates the empty file that only this user may read; SQLite gives its log the same rights. Never
/// on a file that is there: closing it again would drop the locks that SQLite has on it.
async fn create(file: &SqliteFile) -> Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(&file.path).await {
        Ok(_) => Ok(()),
        // Somebody else migrates at the same moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(inaccessible(file, &error)),
    }
}

fn inaccessible(file: &SqliteFile, error: &std::io::Error) -> StoreError {
    let name = shown(&file.path);
    refused(match error.kind() {
        ErrorKind::NotFound => {
            format!(
                "database `{name}` cannot be created: its folder does not exist, create it first"
            )
        }
        ErrorKind::PermissionDenied => format!(
            "database `{name}` cannot be written: give this user the right to write the file and its folder"
        ),
        _ => format!("database `{name}` cannot be opened: {error}"),
    })
}
