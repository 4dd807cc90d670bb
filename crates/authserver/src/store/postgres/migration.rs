//! The life of a database: brought up to date, looked at. Somebody else creates it.

use std::time::Duration;

use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{ConnectOptions, Connection};

use super::failure;
use crate::store::Result;
use crate::store::dsn::{PostgresServer, refused};
use crate::store::open::Migration;
use crate::store::sql::history;

/// A server that does not answer for so long is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// What the database has taken.
pub(in crate::store) async fn plan(server: &PostgresServer) -> Result<Vec<Migration>> {
    let mut connection = connect(server).await?;
    let plan = history::read_plan::<Postgres>(&server.name, &mut connection).await;
    let _ = connection.close().await;
    plan
}

/// Brings the database up to date. Of several who try, one does it, and the others find it done.
pub(in crate::store) async fn migrate(server: &PostgresServer) -> Result<Vec<Migration>> {
    plan(server).await?;
    let mut connection = connect(server).await?;
    history::apply::<Postgres>(&server.name, &mut connection, |step| step.postgres).await?;
    let plan = history::read_plan::<Postgres>(&server.name, &mut connection).await;
    let _ = connection.close().await;
    plan
}

/// Refuses a database that is not up to date.
pub(super) async fn require_all_applied(server: &PostgresServer) -> Result<()> {
    history::require_all_applied(&server.name, &plan(server).await?)
}

async fn connect(server: &PostgresServer) -> Result<PgConnection> {
    let connected = tokio::time::timeout(CONNECT, server.connect.connect()).await;
    let mut connection = connected
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map_err(|error| failure::of_opening(&server.name, &error))?;
    require_unicode(server, &mut connection).await?;
    Ok(connection)
}

/// In another encoding some ids could be neither written nor asked for.
async fn require_unicode(server: &PostgresServer, connection: &mut PgConnection) -> Result<()> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(connection)
        .await
        .map_err(|error| failure::of_opening(&server.name, &error))?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(refused(format!(
        "database `{}` has the encoding {encoding}: create one with the encoding UTF8",
        server.name
    )))
}
