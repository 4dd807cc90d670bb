//! A clock that goes when it is told to.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use carnet_oauth::Clock;

/// A time of day that stands still.
#[derive(Debug)]
pub struct FixedClock(Mutex<SystemTime>);

impl FixedClock {
    /// A clock that stands at a number of seconds since 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Mutex::new(
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        ))
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Puts the clock back.
    pub fn turn_back(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) -= by;
    }
}

/// Noon of a day in November 2026.
impl Default for FixedClock {
    fn default() -> Self {
        Self::at(1_795_694_400)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
