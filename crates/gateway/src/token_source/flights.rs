//! One exchange for a key however many wait for it.
//!
//! A flight runs by itself: a caller who goes away takes nothing from the others. Its failure is
//! shared with those who waited for it and is then gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::key::Key;
use super::{Outcome, TokenFault};

/// Exchanges of one source that may be in the air at one time: each has a connection.
const IN_THE_AIR: usize = 256;

/// What is in the air, or has landed: `None` until then.
#[derive(Clone)]
pub(super) struct Flight(watch::Receiver<Option<Outcome>>);

/// The flights of one source, by key.
pub(super) struct Flights {
    in_the_air: Mutex<BTreeMap<Key, Flight>>,
    places: Arc<Semaphore>,
}

/// What somebody who wants to fly finds.
pub(super) enum Boarding {
    /// What the caller looked for has landed meanwhile.
    Landed(Outcome),
    /// Another's flight.
    Joined(Flight),
    /// A flight of one's own, to be taken off with.
    Own(Takeoff),
}

/// A flight that has to land. Dropped without, it breaks off: those who wait are told so.
pub(super) struct Takeoff {
    key: Key,
    flights: Arc<Flights>,
    outcome: watch::Sender<Option<Outcome>>,
    _place: OwnedSemaphorePermit,
}

impl Flights {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            in_the_air: Mutex::default(),
            places: Arc::new(Semaphore::new(IN_THE_AIR)),
        })
    }

    /// A place for an exchange that nobody joins; an error when all are taken.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, TokenFault> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| TokenFault::Busy)
    }

    /// The flight of a key, or a new one. `landed` looks once more where landed flights leave
    /// their tokens: nothing lands while it looks.
    pub(super) fn board(
        self: &Arc<Self>,
        key: Key,
        landed: impl FnOnce() -> Option<Outcome>,
    ) -> Result<Boarding, TokenFault> {
        let mut in_the_air = self.in_the_air();
        if let Some(flight) = in_the_air.get(&key) {
            return Ok(Boarding::Joined(flight.clone()));
        }
        if let Some(outcome) = landed() {
            return Ok(Boarding::Landed(outcome));
        }
        let place = self.place()?;
        let (outcome, flight) = watch::channel(None);
        in_the_air.insert(key, Flight(flight));
        Ok(Boarding::Own(Takeoff {
            key,
            flights: Arc::clone(self),
            outcome,
            _place: place,
        }))
    }

    fn in_the_air(&self) -> MutexGuard<'_, BTreeMap<Key, Flight>> {
        self.in_the_air
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Waits for the landing.
    pub(super) async fn outcome(mut self) -> Outcome {
        let landed = self.0.wait_for(Option::is_some).await;
        match landed.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            Ok(None) | Err(_) => Err(TokenFault::unavailable("the exchange broke off", None)),
        }
    }
}

impl Takeoff {
    /// A way to see the landing.
    pub(super) fn flight(&self) -> Flight {
        Flight(self.outcome.subscribe())
    }

    /// Ends the flight. What it brought must be where others look by now.
    pub(super) fn land(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        self.flights.in_the_air().remove(&self.key);
    }
}
