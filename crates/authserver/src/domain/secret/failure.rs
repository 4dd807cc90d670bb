//! When a failed authentication is answered: at a fixed time after its arrival, whatever the cause.

use std::time::Duration;

use tokio::{sync::Semaphore, time::Instant};

use crate::domain::secret::Busy;

/// So many wait for their answer.
const WAITING: usize = 1024;

/// Holds answers back.
#[derive(Debug)]
pub(in crate::domain) struct FailureTimer {
    step: Duration,
    waiting: Semaphore,
}

impl FailureTimer {
    /// A timer with this usual delay.
    pub(in crate::domain) fn new(step: Duration) -> Self {
        Self {
            step,
            waiting: Semaphore::new(WAITING),
        }
    }

    /// Waits until the answer may go: the usual delay after the arrival. Where the slowest hash
    /// takes longer, or the queue was full of them, the next whole multiple of it, so that the
    /// exact duration of the work stays hidden.
    ///
    /// # Errors
    /// When too many wait already.
    pub(in crate::domain) async fn hold(
        &self,
        arrived: Instant,
        slowest: Duration,
    ) -> Result<(), Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        tokio::time::sleep_until(arrived + self.delay(arrived.elapsed(), slowest)).await;
        Ok(())
    }

    fn delay(&self, passed: Duration, slowest: Duration) -> Duration {
        let step = self.step.max(Duration::from_millis(1));
        // Half as long again: hashes do not take equally long each time.
        let grid = step * steps(slowest + slowest / 2, step);
        grid * steps(passed, grid)
    }
}

/// How many whole steps cover a time; at least one.
fn steps(time: Duration, step: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(step.as_nanos()))
        .unwrap_or(u32::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds TE-13.
    #[test]
    fn the_answer_goes_at_whole_multiples_of_the_delay() {
        let timer = FailureTimer::new(Duration::from_millis(50));
        for (passed, slowest, expected) in [
            (0, 0, 50),
            (12, 12, 50),
            (50, 12, 50),
            (51, 12, 100),
            (10, 300, 450),
            (460, 300, 900),
        ] {
            let delay = timer.delay(
                Duration::from_millis(passed),
                Duration::from_millis(slowest),
            );
            assert_eq!(delay, Duration::from_millis(expected), "{passed} {slowest}");
        }
    }
}
