//! What other processes change in the store comes in as it happens.

use std::time::Duration;

use crate::{domain::Authority, store::Change};

/// Before what could not be read is read again.
const RETRY: Duration = Duration::from_millis(250);

impl Authority {
    /// Follows the store until it is dropped.
    pub(crate) async fn follow(&self) {
        let mut changes = self.store.changes();
        loop {
            match changes.next().await {
                Change::Keys => self.take_in_keys().await,
                Change::Revocations => self.take_in_revocations().await,
                Change::Everything => {
                    tokio::join!(self.take_in_keys(), self.take_in_revocations());
                }
                // Clients are read when they are asked for.
                Change::Client(_) => {}
            }
        }
    }

    async fn take_in_keys(&self) {
        until_done("keys", || self.ring.refresh()).await;
    }

    async fn take_in_revocations(&self) {
        until_done("revocations", || self.revocations.follow()).await;
    }
}

/// Reads as often as it takes.
async fn until_done<F, E>(what: &str, read: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    let mut was_told = false;
    while let Err(error) = read().await {
        if !was_told {
            tracing::warn!(error = %error, "the {what} could not be read again");
        }
        was_told = true;
        tokio::time::sleep(RETRY).await;
    }
}
