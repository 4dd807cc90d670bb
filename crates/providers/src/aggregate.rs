//! The last configuration of each provider, merged into one.
//!
//! Nothing is published before every provider has spoken, so that no router is judged by half of
//! what it needs; afterwards once things are quiet, and only what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::diagnostics::Object;
use carnet_config::diagnostics::Severity;
use carnet_config::merge::merge;
use carnet_config::routing::{RoutingConfig, Service};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{Scope, Update};

/// Quiet time after an update: objects that are applied together become visible together.
const QUIET: Duration = Duration::from_millis(20);

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
    /// What they amounted to last, and what has changed since; without it everything has.
    merged: Option<Arc<RoutingConfig>>,
    changed: BTreeMap<String, Object<Service>>,
}

impl Aggregate {
    /// Waits for these providers. `throttle` bounds the wait for quiet under updates that never
    /// end: `providers.providersThrottleDuration`.
    pub fn new(providers: impl IntoIterator<Item = String>, throttle: Duration) -> Self {
        Self {
            providers: providers.into_iter().collect(),
            throttle,
            latest: BTreeMap::new(),
            merged: None,
            changed: BTreeMap::new(),
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
        match (update.scope, self.latest.get_mut(&update.provider)) {
            (Scope::Services, Some(latest)) => {
                latest.readable = update.readable;
                latest.current = update.current;
                if self.providers.len() > 1 {
                    let services = update.config.services.clone();
                    latest.config.services.extend(services);
                }
                let services = merge(vec![(update.provider, update.config)]).services;
                self.changed.extend(services);
            }
            _ => {
                self.merged = None;
                self.changed.clear();
                self.latest.insert(update.provider.clone(), update);
            }
        }
    }

    /// All configurations in one. Where there is one provider, nobody asks for its own again.
    fn merge(&mut self) -> Arc<RoutingConfig> {
        let is_alone = self.providers.len() == 1;
        let mut parts = Vec::new();
        for (name, update) in &mut self.latest {
            let config = match is_alone {
                true => mem::take(&mut update.config),
                false => update.config.clone(),
            };
            parts.push((name.clone(), config));
        }
        Arc::new(merge(parts))
    }

    fn publish(&mut self, merged: &watch::Sender<Option<Merged>>) {
        let mut config = match self.merged.take() {
            None => self.merge(),
            Some(last) => last,
        };
        let changed = mem::take(&mut self.changed);
        if !changed.is_empty() {
            Arc::make_mut(&mut config).services.extend(changed);
        }
        self.merged = Some(Arc::clone(&config));
        let new = Merged {
            config,
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
