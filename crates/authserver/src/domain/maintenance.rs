//! What happens beside the requests: missing keys are made, expired rows go, keys that other
//! processes changed come in.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;

use crate::{domain::Authority, store};

/// How often expired rows are looked for.
const PERIOD: Duration = Duration::from_secs(60);

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
        drop(first);
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let authority = current.load_full();
            if let Err(error) = store::expire(&*authority.store, authority.now(), BATCH).await {
                tracing::error!(error = %error, "expired rows could not be deleted");
            }
            if let Err(error) = authority.ring.refresh().await {
                tracing::error!(error = %error, "the keys could not be read again");
            }
        }
    }
}
