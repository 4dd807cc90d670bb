//! Keeps calls from a provider that is down: after [`FAILURES`] in a row nobody calls for a second,
//! then one call finds out whether it is back. What a provider answers, short of a 5xx, is a sign
//! of life, whatever it says.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u32 = 5;

/// How long it stays open; also the rate of probes, one in this time.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// One provider's. Told of time, never asking for it.
#[derive(Debug, Default)]
pub(crate) struct Breaker(State);

#[derive(Debug)]
enum State {
    /// Calls pass; so many have failed since the last that did not.
    Closed { failures: u32 },
    /// No call passes before this moment.
    Open { until: Instant },
    /// One call is on its way to find out.
    Probing,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a call may be made now.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        match self.0 {
            State::Closed { .. } => Ok(()),
            State::Open { until } if now < until => Err(until - now),
            State::Open { .. } => {
                self.0 = State::Probing;
                Ok(())
            }
            State::Probing => Err(PAUSE),
        }
    }

    /// A call ended with a sign of life.
    pub(crate) fn succeeded(&mut self) {
        self.0 = State::default();
    }

    /// A call failed. Those that were on their way when it opened do not keep it open for longer.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.0 = match self.0 {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed {
                failures: failures + 1,
            },
            State::Open { until } if now < until => State::Open { until },
            _ => State::Open { until: now + PAUSE },
        };
    }

    /// A call was given up before its end: nothing is known, and another may find out.
    pub(crate) fn abandoned(&mut self, now: Instant) {
        if matches!(self.0, State::Probing) {
            self.0 = State::Open { until: now };
        }
    }

    /// Whether calls are being kept away.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.0, State::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_one_probe_a_second_finds_out() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(breaker.admit(start), Ok(()));
            breaker.failed(start);
        }
        breaker.succeeded();
        for _ in 0..5 {
            assert_eq!(breaker.admit(start), Ok(()));
            breaker.failed(start);
        }
        assert!(breaker.is_open());
        let half = start + PAUSE / 2;
        assert_eq!(breaker.admit(half), Err(PAUSE / 2));
        let probe = start + PAUSE;
        assert_eq!(breaker.admit(probe), Ok(()));
        assert_eq!(breaker.admit(probe), Err(PAUSE));
        breaker.failed(probe);
        assert_eq!(breaker.admit(probe + PAUSE / 2), Err(PAUSE / 2));
        assert_eq!(breaker.admit(probe + PAUSE), Ok(()));
        breaker.succeeded();
        assert!(!breaker.is_open());
        assert_eq!(breaker.admit(probe), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_room_for_another() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        (0..5).for_each(|_| breaker.failed(start));
        assert_eq!(breaker.admit(start + PAUSE), Ok(()));
        breaker.abandoned(start + PAUSE);
        assert_eq!(breaker.admit(start + PAUSE), Ok(()));
    }
}
