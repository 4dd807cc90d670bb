//! A connection for one call, given back in a state that the next caller can use.

use sqlx::{Pool, pool::PoolConnection};

use super::Engine;

/// A connection out of the pool.
pub(super) struct Lease<E: Engine> {
    connection: Option<PoolConnection<E>>,
    /// A change was begun on it and did not end.
    unfinished: bool,
}

impl<E: Engine> Lease<E> {
    /// Waits for a connection.
    pub(super) async fn take(pool: &Pool<E>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            connection: Some(pool.acquire().await?),
            unfinished: false,
        })
    }

    /// The connection, for a statement of its own.
    pub(super) fn get(&mut self) -> Result<&mut E::Connection, sqlx::Error> {
        // It is there until the drop.
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::PoolClosed)
    }

    /// The connection, for a statement of a change.
    pub(super) fn get_unfinished(&mut self) -> Result<&mut E::Connection, sqlx::Error> {
        self.unfinished = true;
        self.get()
    }

    /// The change ended.
    pub(super) fn finish(&mut self) {
        self.unfinished = false;
    }
}

impl<E: Engine> Drop for Lease<E> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if self.unfinished {
            // Its end takes the change back, also when the database does not listen.
            connection.close_on_drop();
        } else if let Some(patience) = E::PATIENCE {
            // The pool would wait for ever for a connection whose call was given up.
            let returned = connection.return_to_pool();
            tokio::spawn(tokio::time::timeout(patience, returned));
        }
    }
}

/// Waits for a call as long as the database deserves.
pub(super) async fn patiently<E: Engine, T>(
    call: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, sqlx::Error> {
    match E::PATIENCE {
        None => call.await,
        Some(patience) => tokio::time::timeout(patience, call)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut)),
    }
}
