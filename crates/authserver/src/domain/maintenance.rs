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

/// So many rows go at a time: a long transaction would keep issuers waiting.
const BATCH: u32 = 500;

impl Authority {
    /// Runs until it is dropped, each round under the options of its time.
    pub(crate) async fn maintain(current: Arc<ArcSwap<Self>>) {
        let first = current.load_full();
        let (store, ring) = (Arc::clone(&first.store), Arc::clone(&first.ring));
        drop(first);
        // A sweep may make a key, which takes longer than others may wait for news.
        tokio::join!(Self::work(&current), follow(&*store, &ring));
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
            current.load_full().sweep().await;
        }
    }

    /// Removes what time has ended, and does what the schedule of keys wants.
    async fn sweep(&self) {
        if let Err(error) = store::expire(&*self.store, self.now(), BATCH).await {
            tracing::error!(error = %error, "expired rows could not be deleted");
        }
        if let Err(error) = self.ring.reseal().await {
            tracing::error!(error = %error, "the keys could not be sealed anew");
        }
        if let Err(error) = self.rotate_keys().await {
            tracing::error!(error = ?error, "the keys could not be rotated");
        }
    }
}
