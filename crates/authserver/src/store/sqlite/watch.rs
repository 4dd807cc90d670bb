//! Notices what others write to a file: another server, a command line. SQLite counts the commits
//! that a connection did not make itself.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnection;
use tokio_util::task::AbortOnDropHandle;

use super::{reading, shown};
use crate::store::dsn::SqliteFile;
use crate::store::memory::Memories;

/// How often the file is asked. Others see a change within a second.
const PERIOD: Duration = Duration::from_millis(250);

/// Forgets whenever something was written, or when that cannot be told; ends with the
/// handle. This connection writes nothing, so it also sees the writes of our own.
pub(super) fn spawn(file: SqliteFile, memories: Arc<Memories>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PERIOD);
        let (mut connection, mut seen) = (None, None);
        loop {
            ticks.tick().await;
            let version = match version(&file, &mut connection).await {
                Ok(version) => Some(version),
                Err(error) => {
                    let name = shown(&file.path);
                    tracing::debug!(database = name, error = %error, "the file cannot be watched");
                    connection = None;
                    None
                }
            };
            if version.is_none() || version != seen {
                memories.forget();
            }
            seen = version;
        }
    }))
}

async fn version(
    file: &SqliteFile,
    connection: &mut Option<SqliteConnection>,
) -> sqlx::Result<i64> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(reading(file).connect().await?),
    };
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
}
