//! One exchange for a key however many wait for it, and its token for as long as it is fresh.
//!
//! A flight runs by itself: a caller who goes away takes nothing from the others. Its failure is
//! shared with those who waited for it and is then gone.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};

use super::key::Key;
use super::token::Asked;
use super::{Outcome, TokenFault};

/// Tokens kept.
const TOKENS: usize = 10_000;

/// Callers that may wait at one time. More are told to come back.
const WAITING: usize = 1024;

/// Exchanges that may be in the air at one time: each has a connection.
const IN_THE_AIR: usize = 256;

/// What is in the air, or has landed.
type Flight = watch::Receiver<Option<Outcome>>;

/// The flights of one source, by key.
pub(super) struct Flights {
    by_key: Arc<Cache<Key, Flight>>,
    waiting: Semaphore,
    in_the_air: Arc<Semaphore>,
}

impl Flights {
    pub(super) fn new() -> Self {
        Self {
            by_key: Arc::new(Cache::new(TOKENS)),
            waiting: Semaphore::new(WAITING),
            in_the_air: Arc::new(Semaphore::new(IN_THE_AIR)),
        }
    }

    /// The token for a key: a fresh one, that of the exchange in the air, or that of `start`.
    pub(super) async fn join(
        &self,
        key: Key,
        now: Asked,
        start: impl FnOnce() -> BoxFuture<'static, Outcome>,
    ) -> Outcome {
        if let Some(flight) = self.by_key.get(&key)
            && let Some(Ok(token)) = &*flight.borrow()
            && token.is_fresh(now)
        {
            return Ok(Arc::clone(token));
        }
        let _seat = self.seat()?;
        let mut flight = self.board(key, now, start).await?;
        let landed = flight.wait_for(Option::is_some).await;
        match landed.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            Ok(None) | Err(_) => Err(TokenFault::unavailable("the exchange broke off", None)),
        }
    }

    /// An exchange that nobody else joins.
    pub(super) async fn alone(&self, exchange: impl Future<Output = Outcome>) -> Outcome {
        let _permit = self.take_off()?;
        exchange.await
    }

    fn seat(&self) -> Result<SemaphorePermit<'_>, TokenFault> {
        self.waiting.try_acquire().map_err(|_| TokenFault::Busy)
    }

    fn take_off(&self) -> Result<OwnedSemaphorePermit, TokenFault> {
        Arc::clone(&self.in_the_air)
            .try_acquire_owned()
            .map_err(|_| TokenFault::Busy)
    }

    /// The flight that others wait for, or a new one in its place.
    async fn board(
        &self,
        key: Key,
        now: Asked,
        start: impl FnOnce() -> BoxFuture<'static, Outcome>,
    ) -> Result<Flight, TokenFault> {
        let entry = self.by_key.entry_async(&key, |_, flight| {
            if is_worth_joining(flight, now) {
                EntryAction::Retain(flight.clone())
            } else {
                EntryAction::ReplaceWithGuard
            }
        });
        let guard = match entry.await {
            EntryResult::Retained(flight) => return Ok(flight),
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => guard,
            EntryResult::Removed(..) | EntryResult::Timeout => return Err(TokenFault::Busy),
        };
        let permit = self.take_off()?;
        let (land, flight) = watch::channel(None);
        // Who finds the place taken over meanwhile flies all the same, only unseen.
        drop(guard.insert(flight.clone()));
        let exchange = start();
        let by_key = Arc::clone(&self.by_key);
        let own = flight.clone();
        tokio::spawn(async move {
            let outcome = exchange.await;
            drop(permit);
            let is_kept = matches!(&outcome, Ok(token) if token.is_fresh(now));
            land.send_replace(Some(outcome));
            if !is_kept {
                by_key.remove_if(&key, |flight| flight.same_channel(&own));
            }
        });
        Ok(flight)
    }
}

/// In the air, or landed with a token that is still fresh.
fn is_worth_joining(flight: &Flight, now: Asked) -> bool {
    match &*flight.borrow() {
        None => !is_broken_off(flight),
        Some(outcome) => matches!(outcome, Ok(token) if token.is_fresh(now)),
    }
}

/// Whether its task is gone without an outcome: it cannot land any more.
fn is_broken_off(flight: &Flight) -> bool {
    flight.has_changed().is_err()
}
