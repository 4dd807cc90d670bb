//! What all token sources of a process share: one health, one budget of retries and one set of
//! counters for each server that gives tokens, and the seats of those who wait. Knows no keys and
//! no tokens. `breaker.rs` says whether to call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

mod breaker;
mod figures;

use super::{CachedToken, Engine, StoreFigures, Stores};
pub(crate) use breaker::Breaker;
pub(super) use figures::Count;
use figures::Counters;
pub use figures::ProviderFigures;

use crate::budget::{Allowance, Budget};
use crate::jwks::KeySets;

/// Requests of a process that may wait for tokens at one time. More are told to come back.
const SEATS: usize = 16_384;

/// Calls that may be repeated besides a fifth of all: a provider that fails half of its calls does
/// not get four times as many for it.
const ALLOWANCE: Allowance = Allowance {
    a_second: 1.0,
    most: 10.0,
};

/// The providers that a process asks.
pub(crate) struct Providers {
    seats: Arc<Semaphore>,
    by_origin: Mutex<BTreeMap<String, Weak<Provider>>>,
    engines: Mutex<Vec<Weak<Engine>>>,
    /// Where gateways share their tokens.
    pub(crate) stores: Stores,
    /// The keys that their tokens are verified with.
    pub(crate) key_sets: KeySets,
}

/// A server that gives tokens.
#[derive(Debug)]
pub(super) struct Provider {
    origin: String,
    breaker: Mutex<Breaker>,
    budget: Budget,
    pub(super) counters: Counters,
}

/// A call that may be made. Dropped without a verdict, nothing is learned from it.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    provider: &'a Provider,
    is_settled: bool,
}

impl Providers {
    pub(crate) fn new() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(SEATS)),
            by_origin: Mutex::default(),
            engines: Mutex::default(),
            stores: Stores::default(),
            key_sets: KeySets::default(),
        }
    }

    /// A seat for a request that waits; `None`: all are taken.
    pub(super) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// The provider whose token endpoint this is.
    pub(super) fn of(&self, url: &Url) -> Arc<Provider> {
        let origin = url.origin().ascii_serialization();
        let mut providers = locked(&self.by_origin);
        if let Some(known) = providers.get(&origin).and_then(Weak::upgrade) {
            return known;
        }
        providers.retain(|_, provider| provider.strong_count() > 0);
        let provider = Arc::new(Provider {
            origin: origin.clone(),
            breaker: Mutex::default(),
            budget: Budget::new(ALLOWANCE),
            counters: Counters::default(),
        });
        providers.insert(origin, Arc::downgrade(&provider));
        provider
    }

    /// Remembers a source for as long as it lives.
    pub(super) fn remember(&self, engine: &Arc<Engine>) {
        let mut engines = locked(&self.engines);
        engines.retain(|engine| engine.strong_count() > 0);
        engines.push(Arc::downgrade(engine));
    }

    /// What all sources keep.
    pub(crate) fn cached(&self) -> Vec<CachedToken> {
        let engines = locked(&self.engines).clone();
        let living = engines.iter().filter_map(Weak::upgrade);
        living.flat_map(|engine| engine.cached()).collect()
    }

    /// What was counted about each store that a configuration names.
    pub(crate) fn stores(&self) -> Vec<StoreFigures> {
        self.stores.figures()
    }

    /// What was counted about each provider that a configuration names, by its origin.
    pub(crate) fn figures(&self) -> Vec<ProviderFigures> {
        let providers = locked(&self.by_origin);
        let living = providers.values().filter_map(Weak::upgrade);
        living.map(|provider| provider.figures()).collect()
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}

impl Provider {
    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// A call that may be made now.
    ///
    /// # Errors
    /// How long to wait: the provider is down as far as anybody knows.
    pub(super) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let admitted = locked(&self.breaker).admit(Instant::now());
        match admitted {
            Ok(()) => self.counters.calls.one(),
            Err(_) => self.counters.kept_back.one(),
        }
        admitted.map(|()| Pass {
            provider: self,
            is_settled: false,
        })
    }

    /// An exchange begins.
    pub(super) fn asked(&self) {
        self.budget.sent();
    }

    /// Whether a call may be repeated.
    pub(super) fn may_repeat(&self) -> bool {
        let may = self.budget.take();
        if may {
            self.counters.retries.one();
        }
        may
    }

    fn figures(&self) -> ProviderFigures {
        let is_kept_back = locked(&self.breaker).is_open();
        self.counters.figures(&self.origin, is_kept_back)
    }
}

impl Pass<'_> {
    /// The provider lives: it answered, whatever it said.
    pub(super) fn answered(mut self) {
        self.is_settled = true;
        locked(&self.provider.breaker).succeeded();
    }

    /// The provider could not be reached, did not answer in time, or said that it fails.
    pub(super) fn failed(mut self) {
        self.is_settled = true;
        locked(&self.provider.breaker).failed(Instant::now());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            locked(&self.provider.breaker).abandoned(Instant::now());
        }
    }
}

/// A panic elsewhere leaves these whole, so they stay readable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
