//! What a provider said no to, remembered for a few seconds by the key of the token: a client that
//! it does not accept, with this very secret, a caller's token that it does not take, or a wish for
//! patience. A right secret is another key, so no wrong one stands in its way. Bounded, and apart from the tokens: a flood of wrong
//! secrets pushes out none of them.

use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::TokenFault;
use super::key::Key;

/// Keys remembered; the coldest are forgotten beyond it.
const KEYS: usize = 16_384;

/// For how long a first refusal is remembered; it doubles with each that follows.
const FIRST: Duration = Duration::from_secs(1);

/// For how long a refusal is remembered at most: so long may a client that was just made wait.
const LONGEST: Duration = Duration::from_secs(5);

/// For how long a provider's wish for patience is kept at most.
const PATIENCE: Duration = Duration::from_secs(300);

/// The setbacks of one source.
pub(super) struct Setbacks(Cache<Key, Setback>);

#[derive(Clone)]
struct Setback {
    fault: TokenFault,
    until: Instant,
    /// For how long it was remembered.
    length: Duration,
}

impl Setbacks {
    pub(super) fn new() -> Self {
        Self(Cache::new(KEYS))
    }

    /// What an exchange would end with, as far as is remembered.
    pub(super) fn standing(&self, key: &Key, now: Instant) -> Option<TokenFault> {
        let setback = self.0.get(key)?;
        let left = setback.until.checked_duration_since(now)?;
        (!left.is_zero()).then(|| setback.fault.with_patience(left))
    }

    /// Remembers how an exchange failed, where that is to be remembered.
    pub(super) fn note(&self, key: Key, fault: &TokenFault, now: Instant) {
        let length = match fault {
            fault if fault.is_of_the_caller() => match self.0.peek(&key) {
                Some(last) if is_recent(&last, now) => (last.length * 2).min(LONGEST),
                _ => FIRST,
            },
            TokenFault::Unavailable {
                retry_after,
                is_asked: true,
                ..
            } => (*retry_after).min(PATIENCE),
            _ => return,
        };
        let setback = Setback {
            fault: fault.clone(),
            until: now + length,
            length,
        };
        self.0.insert(key, setback);
    }

    /// Forgets: an exchange succeeded.
    pub(super) fn clear(&self, key: &Key) {
        self.0.remove(key);
    }
}

/// A refusal soon after another is the next of a series.
fn is_recent(last: &Setback, now: Instant) -> bool {
    last.fault.is_of_the_caller() && now < last.until + LONGEST
}
