//! What other processes change in the store comes in as it happens.

use std::time::Duration;

use crate::{
    domain::{keys::ring::KeyRing, revocations::Revocations},
    store::{Change, Store},
};

/// Before what could not be read is read again.
const RETRY: Duration = Duration::from_millis(250);

/// Follows the store for ever.
pub(super) async fn follow(store: &dyn Store, ring: &KeyRing, revocations: &Revocations) {
    let mut changes = store.changes();
    loop {
        match changes.next().await {
            Change::Keys => take_in_keys(ring).await,
            Change::Revocations => take_in_revocations(revocations).await,
            Change::Everything => {
                tokio::join!(take_in_keys(ring), take_in_revocations(revocations));
            }
            // The store forgets what it remembers of clients by itself.
            Change::Client(_) => {}
        }
    }
}

async fn take_in_keys(ring: &KeyRing) {
    until_done("keys", || ring.refresh()).await;
}

async fn take_in_revocations(revocations: &Revocations) {
    until_done("revocations", || revocations.follow()).await;
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
