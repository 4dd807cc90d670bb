//! What happens beside the requests: missing keys are made, expired rows go, keys that other
//! processes changed come in.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::time::{Interval, MissedTickBehavior};

use crate::{domain::Authority, store};

/// How often expired rows are looked for, and the schedule of keys.
const PERIOD: Duration = Duration::from_secs(60);

/// How often a store is asked for what other processes changed there: they see it within a second.
const FOLLOW: Duration = Duration::from_millis(500);

/// So many rows go at a time: a long transaction would keep issuers waiting.
const BATCH: u32 = 500;

impl Authority {
    /// Runs until it is dropped, each round under the options of its time.
    pub(crate) async fn maintain(current: Arc<ArcSwap<Self>>) {
        let first = current.load_full();
        if let Err(error) = first.ring.complete().await {
            tracing::error!(error = ?error, "the signing keys could not be made");
        }
        first.verifier.calibrate().await;
        let is_shared = first.store.is_shared();
        drop(first);
        let sweeping = async {
            let mut ticks = ticks(PERIOD);
            loop {
                ticks.tick().await;
                current.load_full().sweep().await;
            }
        };
        let following = async {
            if !is_shared {
                return;
            }
            let mut ticks = ticks(FOLLOW);
            loop {
                ticks.tick().await;
                current.load_full().follow().await;
            }
        };
        // A sweep may make a key, which takes longer than others may wait for news.
        tokio::join!(sweeping, following);
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

    /// Takes in what other processes changed in the store.
    pub(crate) async fn follow(&self) {
        if let Err(error) = self.ring.refresh().await {
            tracing::warn!(error = %error, "the keys could not be read again");
        }
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
