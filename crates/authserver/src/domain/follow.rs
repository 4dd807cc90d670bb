//! What other processes change in the store comes in as it happens.

use std::time::Duration;

use crate::{
    domain::keys::ring::KeyRing,
    store::{Change, Store},
};

/// Before what could not be read is read again.
const RETRY: Duration = Duration::from_millis(250);

/// Follows the store for ever.
pub(super) async fn follow(store: &dyn Store, ring: &KeyRing) {
    let mut changes = store.changes();
    loop {
        match changes.next().await {
            Change::Keys | Change::Everything => take_in(ring).await,
            // Clients and revocations are read when they are asked for.
            Change::Client(_) | Change::Revocations => {}
        }
    }
}

/// Reads the keys again, as often as it takes.
async fn take_in(ring: &KeyRing) {
    let mut was_told = false;
    while let Err(error) = ring.refresh().await {
        if !was_told {
            tracing::warn!(error = %error, "the keys could not be read again");
        }
        was_told = true;
        tokio::time::sleep(RETRY).await;
    }
}
