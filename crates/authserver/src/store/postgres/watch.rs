//! Hears what other servers change: their database tells it (`migrations/postgres/0012_changes.sql`).
//! Whoever cannot listen cannot know, and says so.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::text;
use crate::store::changes::{Change, Teller};
use crate::store::dsn::PostgresServer;

const CHANNEL: &str = "carnet";
/// A connection that was silent for so long is asked whether it still is one.
const SILENCE: Duration = Duration::from_millis(400);
/// So long the answer may take, and so long it takes to connect.
const ANSWER: Duration = Duration::from_millis(500);
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(200);

/// Listens until the handle is dropped.
pub(super) fn spawn(server: PostgresServer, teller: Teller) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            let lost = match timeout(ANSWER, listen(&server)).await {
                Ok(Ok(listener)) => {
                    // What happened until now was not heard.
                    teller.tell(Change::Everything);
                    hear(listener, &teller).await
                }
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut,
            };
            tracing::debug!(database = server.name, error = %lost, "changes are not heard");
            teller.tell(Change::Everything);
            sleep(RETRY).await;
        }
    }))
}

/// A pool of its own each time: a connection that hangs would keep the place in it.
async fn listen(server: &PostgresServer) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(server.connect.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Passes on what is heard; gives why it ended.
async fn hear(mut listener: PgListener, teller: &Teller) -> sqlx::Error {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(told))) => teller.tell(change(told.payload())),
            Ok(Ok(None)) => return sqlx::Error::PoolClosed,
            Ok(Err(error)) => return error,
            Err(_) => {
                let asked = sqlx::query("SELECT 1").execute(&mut listener);
                match timeout(ANSWER, asked).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return error,
                    Err(_) => return sqlx::Error::PoolTimedOut,
                }
            }
        }
    }
}

fn change(told: &str) -> Change {
    match told.split_once(':') {
        Some(("client", id)) => Change::Client(text::read(id.to_owned())),
        None if told == "key" => Change::Keys,
        None if told == "revocation" => Change::Revocations,
        _ => Change::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood_and_what_is_not_is_everything() {
        for (told, expected) in [
            ("client:a:b", Change::Client("a:b".to_owned())),
            ("key", Change::Keys),
            ("revocation", Change::Revocations),
            ("client", Change::Everything),
            ("later:a", Change::Everything),
            ("", Change::Everything),
        ] {
            assert_eq!(change(told), expected, "{told}");
        }
    }
}
