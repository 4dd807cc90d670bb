//! How much is repeated at most: a fifth of the calls that are made, and one a second for who makes
//! few. A provider that fails half of its calls does not get four times as many for it.

use std::time::Duration;

use tokio::time::Instant;

/// What a call pays in.
const SHARE: f64 = 0.2;

/// What a second pays in.
const A_SECOND: f64 = 1.0;

/// What may be saved, and what is there at the start.
const MOST: f64 = 10.0;

/// Retries that are left. Told of time, never asking for it.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    since: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: MOST,
            since: now,
        }
    }

    /// A first call was made.
    pub(super) fn called(&mut self) {
        self.left = (self.left + SHARE).min(MOST);
    }

    /// Whether a call may be repeated: one is taken off if so.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed: Duration = now.saturating_duration_since(self.since);
        self.left = (self.left + passed.as_secs_f64() * A_SECOND).min(MOST);
        self.since = now;
        let is_enough = self.left >= 1.0;
        if is_enough {
            self.left -= 1.0;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_calls_and_one_a_second_are_repeated() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut taken = |now, calls| {
            (0..calls).for_each(|_| budget.called());
            (0..100).filter(|_| budget.take(now)).count()
        };
        assert_eq!(taken(start, 0), 10);
        assert_eq!(taken(start, 4), 0);
        assert_eq!(taken(start, 22), 5);
        assert_eq!(taken(start + Duration::from_secs(3), 0), 3);
        assert_eq!(taken(start + Duration::from_secs(3600), 1000), 10);
    }
}
