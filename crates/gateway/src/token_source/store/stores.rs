//! The stores of a process: one for all middlewares that name the same, and what is counted of it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use carnet_config::routing::middleware::oauth_client_credentials::Redis as Options;

use super::Store;
use super::redis::Redis;
use crate::supplies::Resolve;
use crate::token_source::provider::Count;

/// The stores that a configuration names.
#[derive(Default)]
pub(crate) struct Stores(Mutex<Vec<(Options, Weak<Redis>)>>);

impl Stores {
    /// The store of these options. The error is one sentence.
    pub(crate) fn of(
        &self,
        options: &Options,
        resolve: &Resolve,
    ) -> Result<Arc<dyn Store>, String> {
        Ok(self.redis(options, resolve)?)
    }

    /// The same, for commands of others.
    pub(crate) fn redis(&self, options: &Options, resolve: &Resolve) -> Result<Arc<Redis>, String> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|(_, store)| store.strong_count() > 0);
        let known = stores.iter().find(|(known, _)| known == options);
        if let Some(store) = known.and_then(|(_, store)| store.upgrade()) {
            return Ok(store);
        }
        let store = Arc::new(Redis::new(options, Arc::clone(resolve))?);
        stores.push((options.clone(), Arc::downgrade(&store)));
        Ok(store)
    }

    /// What was counted about each.
    pub(crate) fn figures(&self) -> Vec<StoreFigures> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let living = stores.iter().filter_map(|(_, store)| store.upgrade());
        living.map(|store| store.figures()).collect()
    }
}

/// Counters of one store of tokens, for metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoreFigures {
    /// Its endpoints.
    pub(crate) store: String,
    /// Commands that were to be sent.
    pub(crate) commands: u64,
    /// Commands and connections that failed, or were not tried while it is down.
    pub(crate) failures: u64,
    /// Whether there is no connection now.
    pub(crate) is_down: bool,
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) commands: Count,
    pub(super) failures: Count,
}

impl Counts {
    pub(super) fn figures(&self, store: &str, is_down: bool) -> StoreFigures {
        StoreFigures {
            store: store.to_owned(),
            commands: self.commands.now(),
            failures: self.failures.now(),
            is_down,
        }
    }
}
