//! What is counted about a provider.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one provider, for metrics. They only grow, but for `waiting`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFigures {
    /// Its origin: scheme, host and port of its token endpoints.
    pub provider: String,
    /// Requests that asked for a token.
    pub requests: u64,
    /// Of these, given a token from memory.
    pub hits: u64,
    /// Of these, waited for a call that another request had begun.
    pub joined: u64,
    /// Of these, or ahead of a token's end, given a token that another gateway left in the store.
    pub from_store: u64,
    /// Of these, told without a call that the provider had refused just before, or wants patience.
    pub refused_from_memory: u64,
    /// Of these, sent away because too many wait.
    pub turned_away: u64,
    /// HTTP calls made, retries and both methods included.
    pub calls: u64,
    /// Of these, repeated ones.
    pub retries: u64,
    /// Exchanges that ended with a token.
    pub granted: u64,
    /// Exchanges begun ahead of a token's end, off the way of requests.
    pub refreshes: u64,
    /// Exchanges that the provider refused: the client, or what it asked for.
    pub refused: u64,
    /// Exchanges that failed otherwise.
    pub failed: u64,
    /// Calls that the breaker kept back.
    pub kept_back: u64,
    /// Tokens dropped because they were revoked, or a backend did not take them.
    pub purged: u64,
    /// Requests that wait for a token now.
    pub waiting: u64,
    /// Whether the breaker keeps calls back now.
    pub is_kept_back: bool,
}

impl ProviderFigures {
    /// Calls that the requests would have made without a memory and did not.
    #[must_use]
    pub fn saved(&self) -> u64 {
        (self.hits + self.joined + self.from_store).saturating_sub(self.refreshes)
    }
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(in super::super) struct Counters {
    pub(in super::super) requests: Count,
    pub(in super::super) hits: Count,
    pub(in super::super) joined: Count,
    pub(in super::super) from_store: Count,
    pub(in super::super) refused_from_memory: Count,
    pub(in super::super) turned_away: Count,
    pub(in super::super) calls: Count,
    pub(in super::super) retries: Count,
    pub(in super::super) granted: Count,
    pub(in super::super) refreshes: Count,
    pub(in super::super) refused: Count,
    pub(in super::super) failed: Count,
    pub(in super::super) kept_back: Count,
    pub(in super::super) purged: Count,
    pub(in super::super) waiting: Count,
}

/// A number that may be counted from everywhere.
#[derive(Debug, Default)]
pub(in super::super) struct Count(AtomicU64);

impl Count {
    pub(in super::super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(in super::super) fn one(&self) {
        self.add(1);
    }

    pub(in super::super) fn one_less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(in super::super) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn figures(&self, provider: &str, is_kept_back: bool) -> ProviderFigures {
        ProviderFigures {
            provider: provider.to_owned(),
            requests: self.requests.now(),
            hits: self.hits.now(),
            joined: self.joined.now(),
            from_store: self.from_store.now(),
            refused_from_memory: self.refused_from_memory.now(),
            turned_away: self.turned_away.now(),
            calls: self.calls.now(),
            retries: self.retries.now(),
            granted: self.granted.now(),
            refreshes: self.refreshes.now(),
            refused: self.refused.now(),
            failed: self.failed.now(),
            kept_back: self.kept_back.now(),
            purged: self.purged.now(),
            waiting: self.waiting.now(),
            is_kept_back,
        }
    }
}
