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
                Change::Keys | Change::Everything => self.take_in_keys().await,
                // Clients and revocations are read when they are asked for.
                Change::Client(_) | Change::Revocations => {}
            }
        }
    }

    /// Reads the keys again, as often as it takes.
    async fn take_in_keys(&self) {
        let mut was_told = false;
        while let Err(error) = self.ring.refresh().await {
            if !was_told {
                tracing::warn!(error = %error, "the keys could not be read again");
            }
            was_told = true;
            tokio::time::sleep(RETRY).await;
        }
    }
}
