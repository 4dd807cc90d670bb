//! What happens beside the requests: missing keys are made, keys rotate, expired rows go, and what
//! other processes changed comes in.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;

use crate::{
    domain::{Authority, follow::follow},
    store,
};

/// How often expired rows are looked for, and the schedule of keys.
const PERIOD: Duration = Duration::from_secs(60);

/// How soon a round is tried again that failed, as rounds do while a database is busy or away.
const RETRY: Duration = Duration::from_secs(3);

/// So many rows go at a time: a long transaction would keep issuers waiting.
const BATCH: u32 = 500;

impl Authority {
    /// Runs until it is dropped, each round under the options of its time.
    pub(crate) async fn maintain(current: Arc<ArcSwap<Self>>) {
        let first = current.load_full();
        let (store, ring) = (Arc::clone(&first.store), Arc::clone(&first.ring));
        let revocations = Arc::clone(&first.revocations);
        drop(first);
        // A sweep may make a key, which takes longer than others may wait for news.
        tokio::join!(Self::work(&current), follow(&*store, &ring, &revocations));
    }

    async fn work(current: &ArcSwap<Self>) {
        let first = current.load_full();
        if let Err(error) = first.ring.complete().await {
            tracing::error!(error = ?error, "the signing keys could not be made");
        }
        first.verifier.calibrate().await;
        drop(first);
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !current.load_full().sweep().await {
                ticks.reset_after(RETRY);
            }
        }
    }

    /// Removes what time has ended, and does what the schedule of keys wants. Whether all of it
    /// succeeded.
    async fn sweep(&self) -> bool {
        let mut is_done = true;
        if let Err(error) = store::expire(&*self.store, self.now(), BATCH).await {
            is_done = false;
            tracing::error!(error = %error, "expired rows could not be deleted");
        }
        self.revocations.forget(self.now());
        if let Err(error) = self.ring.reseal().await {
            is_done = false;
            tracing::error!(error = %error, "the keys could not be sealed anew");
        }
        if let Err(error) = self.rotate_keys().await {
            is_done = false;
            tracing::error!(error = ?error, "the keys could not be rotated");
        }
        is_done
    }
}
