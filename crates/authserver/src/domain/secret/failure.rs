//! When a failed authentication is answered: at a fixed time after its arrival, whatever the cause.

use std::time::Duration;

use carnet_oauth::Random;
use tokio::{sync::Semaphore, time::Instant};

use crate::domain::secret::Busy;

/// So many wait for their answer.
const WAITING: usize = 1024;

/// The runtime's timer wakes at most so long after what it was asked for: it counts whole
/// milliseconds from the moment the runtime went to sleep, and rounds up twice.
const COARSE: Duration = Duration::from_millis(3);

/// The end of the wait is moved by less than this, by chance: what the machine's caches still tell
/// of the work, some microseconds, is lost in it.
const CHANCE: Duration = Duration::from_millis(1);

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
    /// exact duration of the work stays hidden. To that comes less than a millisecond of chance.
    ///
    /// # Errors
    /// When too many wait already.
    pub(in crate::domain) async fn hold(
        &self,
        arrived: Instant,
        slowest: Duration,
        random: &dyn Random,
    ) -> Result<(), Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        let goes = arrived + self.delay(arrived.elapsed(), slowest) + chance(random);
        if let Some(early) = goes.checked_sub(COARSE) {
            tokio::time::sleep_until(early).await;
        }
        finish(goes).await;
        Ok(())
    }

    fn delay(&self, passed: Duration, slowest: Duration) -> Duration {
        let step = self.step.max(Duration::from_millis(1));
        // Half as long again: hashes do not take equally long each time.
        let grid = step * steps(slowest + slowest / 2, step);
        grid * steps(passed, grid)
    }
}

fn chance(random: &dyn Random) -> Duration {
    let mut drawn = [0; 4];
    random.fill(&mut drawn);
    CHANCE.mul_f64(f64::from(u32::from_le_bytes(drawn)) / f64::from(u32::MAX))
}

/// Waits the last part on a thread that does nothing else, whose clock counts nanoseconds. The
/// runtime's would tell when the work ended: it went to sleep then, and its milliseconds count from
/// there.
async fn finish(goes: Instant) {
    let left = goes.saturating_duration_since(Instant::now());
    // A thread that cannot be had leaves the runtime's timer.
    let _no_thread = tokio::task::spawn_blocking(move || wait(left)).await;
    // Only where the clock stands still, as in tests.
    if Instant::now() < goes {
        tokio::time::sleep_until(goes).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "on a thread for waiting, with a clock that is finer than the runtime's"
)]
fn wait(left: Duration) {
    std::thread::sleep(left);
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
