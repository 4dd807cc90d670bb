//! What happens beside the requests: missing keys are made, expired rows go, and what other
//! processes changed comes in.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;

use crate::{domain::Authority, store};

/// How often expired rows are looked for.
const PERIOD: Duration = Duration::from_secs(60);

/// So many rows go at a time: a long transaction would keep issuers waiting.
const BATCH: u32 = 500;

impl Authority {
    /// Runs until it is dropped.
    pub(crate) async fn maintain(self: Arc<Self>) {
        tokio::join!(self.work(), self.follow());
    }

    async fn work(&self) {
        if let Err(error) = self.ring.complete().await {
            tracing::error!(error = ?error, "the signing keys could not be made");
        }
        self.verifier.calibrate().await;
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = store::expire(&*self.store, self.now(), BATCH).await {
                tracing::error!(error = %error, "expired rows could not be deleted");
            }
        }
    }
}
