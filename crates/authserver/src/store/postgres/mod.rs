//! A database on a PostgreSQL server, which several servers like this one may share.
//!
//! A call gives up within two seconds, whatever becomes of the server: see [`engine`]. Connections are
//! tested before they are used again, so that a server that was restarted or replaced costs nobody
//! more than the time that it was away.

mod engine;
mod failure;
mod migration;
mod text;
mod watch;

pub(super) use migration::{migrate, plan};

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPoolOptions, Postgres};
use sqlx::{Connection, Executor, Pool};

use super::Result;
use super::changes::Teller;
use super::dsn::PostgresServer;
use super::sql::Sql;

/// Shorter than the patience of a call, so that a statement finds time after it.
const ACQUIRE: Duration = Duration::from_secs(1);
/// A connection that nobody used for so long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_millis(100);
/// The server ends what a caller has given up.
const SESSION: &str =
    "SET statement_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'";

/// The database that `migrate sql` has prepared.
pub(super) async fn open(server: &PostgresServer) -> Result<Sql<Postgres>> {
    migration::require_all_applied(server).await?;
    let pool = pool(server).await?;
    let teller = Teller::default();
    Ok(Sql {
        name: server.name.clone(),
        writers: pool.clone(),
        readers: pool,
        teller: teller.clone(),
        _watch: Some(watch::spawn(server.clone(), teller)),
        _anchor: None,
    })
}

async fn pool(server: &PostgresServer) -> Result<Pool<Postgres>> {
    PgPoolOptions::new()
        .max_connections(server.max_conns)
        .acquire_timeout(ACQUIRE)
        .max_lifetime(server.max_lifetime)
        .idle_timeout(server.max_idle_time)
        .test_before_acquire(false)
        .before_acquire(|connection, since| {
            Box::pin(async move {
                // Each is tested when it comes back; under load that was just now.
                if since.idle_for > TESTED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| Box::pin(set_up(connection)))
        .connect_with(server.connect.clone())
        .await
        .map_err(|error| failure::of_opening(&server.name, &error))
}

async fn set_up(connection: &mut PgConnection) -> std::result::Result<(), sqlx::Error> {
    connection.execute(SESSION).await.map(drop)
}
