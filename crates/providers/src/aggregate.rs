//! The last configuration of each provider, merged into one.
//!
//! Nothing is published before every provider has spoken, so that no router is judged by half of
//! what it needs; afterwards once things are quiet, and only what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use carnet_config::diagnostics::Severity;
use carnet_config::merge::merge;
use carnet_config::routing::RoutingConfig;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::Update;

/// Quiet time after an update: objects that are applied together become visible together.
const QUIET: Duration = Duration::from_millis(50);

/// What all providers say.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Routers, services and middlewares, their names and references qualified.
    pub config: Arc<RoutingConfig>,
    /// Whether everything that was there at the start has been read.
    pub readable: bool,
    /// Whether everything that is there now could be read.
    pub current: bool,
}

/// Brings providers together.
#[derive(Debug)]
pub struct Aggregate {
    /// Names of the providers to wait for.
    providers: BTreeSet<String>,
    /// Longest wait for quiet.
    throttle: Duration,
    latest: BTreeMap<String, Update>,
}

impl Aggregate {
    /// Waits for these providers. `throttle` bounds the wait for quiet under updates that never
    /// end: `providers.providersThrottleDuration`.
    pub fn new(providers: impl IntoIterator<Item = String>, throttle: Duration) -> Self {
        Self {
            providers: providers.into_iter().collect(),
            throttle,
            latest: BTreeMap::new(),
        }
    }

    /// Receives updates and publishes what they amount to; ends when `shutdown` is cancelled, when
    /// no provider is left, or when nobody watches. Findings about sources are logged as they come.
    pub async fn run(
        mut self,
        mut updates: mpsc::Receiver<Update>,
        merged: watch::Sender<Option<Merged>>,
        shutdown: CancellationToken,
    ) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = merged.closed() => {}
            () = self.follow(&mut updates, &merged) => {}
        }
    }

    async fn follow(
        &mut self,
        updates: &mut mpsc::Receiver<Update>,
        merged: &watch::Sender<Option<Merged>>,
    ) {
        while let Some(update) = updates.recv().await {
            self.take(update);
            if merged.borrow().is_some() {
                self.settle(updates).await;
            }
            let complete = self
                .providers
                .iter()
                .all(|name| self.latest.contains_key(name));
            if complete {
                self.publish(merged);
            }
        }
    }

    /// Takes updates until none comes for a while.
    async fn settle(&mut self, updates: &mut mpsc::Receiver<Update>) {
        let deadline = Instant::now() + self.throttle;
        loop {
            let until = deadline.min(Instant::now() + QUIET);
            match timeout_at(until, updates.recv()).await {
                Ok(Some(update)) => self.take(update),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn take(&mut self, update: Update) {
        for finding in &update.diagnostics {
            match finding.severity {
                Severity::Warning => {
                    tracing::warn!(provider.name = update.provider, %finding, "configuration");
                }
                Severity::Error => {
                    tracing::error!(provider.name = update.provider, %finding, "configuration");
                }
            }
        }
        self.latest.insert(update.provider.clone(), update);
    }

    fn publish(&self, merged: &watch::Sender<Option<Merged>>) {
        let parts = self.latest.values();
        let config = merge(
            parts
                .map(|update| (update.provider.clone(), update.config.clone()))
                .collect(),
        );
        let new = Merged {
            config: Arc::new(config),
            readable: self.latest.values().all(|update| update.readable),
            current: self.latest.values().all(|update| update.current),
        };
        merged.send_if_modified(|old| {
            let is_news = old.as_ref() != Some(&new);
            if is_news {
                *old = Some(new);
            }
            is_news
        });
    }
}
