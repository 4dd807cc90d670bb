//! When the tokens of a source are to be fetched anew: one clock for all of them. Knows keys and
//! moments; refuses to know tokens and secrets. An alarm that nobody wants any more rings all the
//! same, and who hears it looks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::key::Key;

/// The alarms of a source.
pub(super) struct Alarms {
    /// The soonest on top.
    set: Mutex<BinaryHeap<Reverse<(Instant, Key)>>>,
    is_sooner: Arc<Notify>,
    /// Waits for the soonest, from the first alarm on.
    clock: OnceLock<AbortOnDropHandle<()>>,
}

impl Alarms {
    pub(super) fn new() -> Self {
        Self {
            set: Mutex::default(),
            is_sooner: Arc::default(),
            clock: OnceLock::new(),
        }
    }

    /// Sets an alarm. `start` makes the clock, which is given what tells it of a sooner alarm.
    pub(super) fn set(
        &self,
        (moment, key): (Instant, Key),
        start: impl FnOnce(Arc<Notify>) -> JoinHandle<()>,
    ) {
        let mut set = self.locked();
        let is_soonest = set.peek().is_none_or(|Reverse((next, _))| moment < *next);
        set.push(Reverse((moment, key)));
        drop(set);
        if is_soonest {
            self.is_sooner.notify_one();
        }
        self.clock
            .get_or_init(|| AbortOnDropHandle::new(start(Arc::clone(&self.is_sooner))));
    }

    /// The next key whose moment has come.
    pub(super) fn ringing(&self, now: Instant) -> Option<Key> {
        let mut set = self.locked();
        let is_due = set.peek().is_some_and(|Reverse((next, _))| *next <= now);
        match is_due {
            true => set.pop().map(|Reverse((_, key))| key),
            false => None,
        }
    }

    /// The soonest moment.
    pub(super) fn next(&self) -> Option<Instant> {
        self.locked().peek().map(|Reverse((next, _))| *next)
    }

    fn locked(&self) -> MutexGuard<'_, BinaryHeap<Reverse<(Instant, Key)>>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
