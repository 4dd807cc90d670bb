//! Notices what others write to a file: another server, a command line. SQLite counts the commits
//! that a connection did not make itself, not what they were about.

use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnection;
use tokio_util::task::AbortOnDropHandle;

use super::{reading, shown};
use crate::store::changes::{Change, Teller};
use crate::store::dsn::SqliteFile;

/// How often the file is asked.
const PERIOD: Duration = Duration::from_millis(250);

/// Asks until the handle is dropped. The connection writes nothing, so it also counts our own
/// commits.
pub(super) fn spawn(file: SqliteFile, teller: Teller) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PERIOD);
        let (mut connection, mut seen) = (None, None);
        loop {
            ticks.tick().await;
            let counted = match count(&file, &mut connection).await {
                Ok(counted) => Some(counted),
                Err(error) => {
                    let name = shown(&file.path);
                    tracing::debug!(database = name, error = %error, "changes are not seen");
                    connection = None;
                    None
                }
            };
            if counted.is_none() || counted != seen {
                teller.tell(Change::Everything);
            }
            seen = counted;
        }
    }))
}

async fn count(
    file: &SqliteFile,
    connection: &mut Option<SqliteConnection>,
) -> Result<i64, sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(reading(file).connect().await?),
    };
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
}
