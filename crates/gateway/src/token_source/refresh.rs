//! Tokens fetched anew before they end, so that no request waits for them.
//!
//! By a clock (`early`, `alarms.rs`), for as long as somebody uses them, or by the first request
//! that comes shortly before the end (`onUse`). The moment is drawn anew for each token, over half
//! of its life: those that were fetched together are not fetched together again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use carnet_config::routing::middleware::oauth_client_credentials::Refresh;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::backoff::share;
use super::flights::Boarding;
use super::kept::Entry;
use super::key::Key;
use super::{Asker, Engine, TokenFault};

/// The earliest moment, as a part of a token's life in memory.
const EARLIEST: f64 = 0.4;

/// The latest moment.
const LATEST: f64 = 0.9;

/// The shortest wait for another attempt.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl Engine {
    /// Sees to it that the token of a key, just kept, is fetched anew in time.
    pub(super) fn plan(self: &Arc<Self>, key: Key, asker: &Asker) {
        let Some(entry) = self.kept.look(&key) else {
            return;
        };
        let now = self.exchange.now();
        let part = EARLIEST + (LATEST - EARLIEST) * share(self.exchange.random());
        let at = entry.token.time_left(now).mul_f64(part);
        self.plan_for(key, &entry, asker, now.at + at);
    }

    /// The same after an attempt that failed: again after a part of what is left, while something
    /// is left.
    pub(super) fn plan_again(self: &Arc<Self>, key: Key, asker: &Asker, fault: &TokenFault) {
        let Some(entry) = self.kept.look(&key) else {
            return;
        };
        let now = self.exchange.now();
        let left = entry.token.time_left(now);
        let part = left.mul_f64(0.25 + 0.25 * share(self.exchange.random()));
        let asked = fault.retry_after().unwrap_or_default();
        let wait = part.max(SHORTEST_WAIT).max(asked);
        if wait < left {
            self.plan_for(key, &entry, asker, now.at + wait);
        }
    }

    /// Whoever finds the token after the moment fetches the next; the clock does so by itself, with
    /// the secret that is held for that alone.
    fn plan_for(self: &Arc<Self>, key: Key, entry: &Entry, asker: &Asker, moment: Instant) {
        let refresh = self.exchange.options.refresh;
        if refresh == Refresh::Never {
            return;
        }
        self.kept.set_due(entry, moment);
        if refresh == Refresh::Early {
            entry.hold(asker.clone());
            let engine = Arc::downgrade(self);
            let start = |is_sooner| tokio::spawn(keep_time(engine, is_sooner));
            self.alarms.set((moment, key), start);
        }
    }

    /// Fetches the next of the tokens whose moment has come; the next moment.
    fn ring(self: &Arc<Self>) -> Option<Instant> {
        let now = Instant::now();
        while let Some(key) = self.alarms.ringing(now) {
            let entry = self.kept.look(&key);
            let asker = entry.and_then(|entry| entry.let_go(self.kept.millis(now)));
            if let Some(asker) = asker {
                self.renew(key, asker);
            }
        }
        self.alarms.next()
    }

    /// Fetches the next token of a key, unless nobody wants it or somebody does so already.
    pub(super) fn renew(self: &Arc<Self>, key: Key, asker: Asker) {
        let Some(entry) = self.kept.look(&key) else {
            return;
        };
        let now = Instant::now();
        if self.kept.is_idle(&entry, now) {
            return;
        }
        if let Some(fault) = self.setbacks.standing(&key, now) {
            self.plan_again(key, &asker, &fault);
            return;
        }
        match self.flights.board(key, || None) {
            Ok(Boarding::Own(takeoff)) => {
                self.provider.counters.refreshes.one();
                self.fly(takeoff, key, asker, true);
            }
            Ok(Boarding::Joined(_) | Boarding::Landed(_)) => {}
            Err(fault) => self.plan_again(key, &asker, &fault),
        }
    }
}

/// Rings when it is time, as long as there is a source.
async fn keep_time(engine: Weak<Engine>, is_sooner: Arc<Notify>) {
    while let Some(next) = engine.upgrade().map(|engine| engine.ring()) {
        match next {
            None => is_sooner.notified().await,
            Some(moment) => tokio::select! {
                () = sleep_until(moment) => {}
                () = is_sooner.notified() => {}
            },
        }
    }
}
