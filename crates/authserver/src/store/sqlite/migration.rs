//! The life of a file: created, brought up to date, looked at.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, Sqlite};
use tokio::time::Instant;

use super::{failure, shown, visiting, writing};
use crate::store::dsn::{SqliteFile, refused};
use crate::store::open::Migration;
use crate::store::sql::history;
use crate::store::{Result, StoreError};

/// So long it waits for another migration.
const PATIENCE: Duration = Duration::from_secs(60);

/// The plan of a file, which need not be there.
pub(in crate::store) async fn plan(file: &SqliteFile) -> Result<Vec<Migration>> {
    if !is_file(file).await? {
        return Ok(history::none_applied());
    }
    let name = shown(&file.path);
    let failed = |error| failure::of_opening(&name, &error);
    let mut connection = visiting(file).connect().await.map_err(failed)?;
    let plan = history::read_plan::<Sqlite>(&name, &mut connection).await;
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
    let failed = |error| failure::of_opening(&name, &error);
    let mut connection = connect_patiently(file).await.map_err(failed)?;
    apply(&name, &mut connection).await?;
    let plan = history::read_plan::<Sqlite>(&name, &mut connection).await?;
    connection.close().await.map_err(failed)?;
    Ok(plan)
}

/// Whoever finds another one at the write-ahead log's first use is sent away at once, whatever the
/// busy timeout.
async fn connect_patiently(
    file: &SqliteFile,
) -> std::result::Result<SqliteConnection, sqlx::Error> {
    let options = writing(file).busy_timeout(PATIENCE);
    let until = Instant::now() + PATIENCE;
    loop {
        match options.connect().await {
            Err(error) if failure::is_locked(&error) && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connected => return connected,
        }
    }
}

/// Takes what is pending: all of it or nothing, while others who want the same wait.
pub(super) async fn apply(name: &str, connection: &mut SqliteConnection) -> Result<()> {
    let failed = |error| failure::of_opening(name, &error);
    let mut change = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed)?;
    history::apply::<Sqlite>(name, &mut change, |step| step.sqlite).await?;
    change.commit().await.map_err(failed)
}

/// Refuses a file that is not there or not up to date.
pub(super) async fn require_all_applied(file: &SqliteFile) -> Result<()> {
    let name = shown(&file.path);
    if !is_file(file).await? {
        return Err(refused(format!(
            "there is no database `{name}`: create it with `migrate sql` and the same DSN"
        )));
    }
    history::require_all_applied(&name, &plan(file).await?)
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
