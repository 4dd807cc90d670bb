//! How long this thread had to wait for its core, as the kernel counts it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// A shorter pause is not worth a look: sending takes as long.
const WORTH_A_LOOK: Duration = Duration::from_micros(100);

/// Notices absences.
pub(super) struct Watch {
    looked: Instant,
    waited: Duration,
}

impl Watch {
    /// Begins at a time.
    pub(super) fn new(time: Instant) -> Result<Self> {
        Ok(Self {
            looked: time,
            waited: waited()?,
        })
    }

    /// How long the thread was kept from running since the last call; to be called all the time.
    pub(super) fn away(&mut self, time: Instant) -> Result<Duration> {
        let pause = time - self.looked;
        self.looked = time;
        if pause < WORTH_A_LOOK {
            return Ok(Duration::ZERO);
        }
        let before = std::mem::replace(&mut self.waited, waited()?);
        Ok(self.waited.saturating_sub(before).min(pause))
    }
}

/// The time that this thread could have run and did not.
fn waited() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').nth(1).unwrap_or_default();
    let nanoseconds = nanoseconds.parse().context("the kernel tells no waiting")?;
    Ok(Duration::from_nanos(nanoseconds))
}
