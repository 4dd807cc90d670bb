//! The queue before the slow hashes: few work at a time, a bounded number waits, the rest is told
//! to come back. Who has nothing to hash waits in the same queue for as long, without using the
//! processor: so the time of an answer does not tell whether there was a hash.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::Instant,
};
use tracing::Instrument as _;

use crate::ports::SPANS;

/// So many wait.
const PLACES: usize = 256;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) struct Busy;

/// The queue.
#[derive(Debug)]
pub(super) struct HashQueue {
    places: Semaphore,
    workers: Arc<Semaphore>,
    /// The longest that a hash took lately, in nanoseconds.
    slowest: AtomicU64,
}

impl HashQueue {
    /// A queue with so many workers, at least one.
    pub(super) fn new(workers: usize) -> Self {
        Self {
            places: Semaphore::new(PLACES),
            workers: Arc::new(Semaphore::new(workers.max(1))),
            slowest: AtomicU64::new(0),
        }
    }

    /// The longest that a hash took lately.
    pub(super) fn slowest(&self) -> Duration {
        Duration::from_nanos(self.slowest.load(Ordering::Relaxed))
    }

    /// Runs a slow job on a thread for such jobs. One that finds nothing keeps its turn for as long
    /// as those that have nothing to do: also in a long queue, the turns of all failures are alike.
    /// After it the worker rests for as long again: whoever guesses gets half of a processor.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Result<Option<T>, Busy> {
        let _place = self.place()?;
        let worker = self.worker().await?;
        let (started, runtime) = (Instant::now(), Handle::current());
        // The permit goes with the job: a caller that hangs up does not free the processor.
        let slowest = self.slowest();
        let done = tokio::task::spawn_blocking(move || {
            let (found, took) = (job(), started.elapsed());
            if found.is_none() {
                runtime.spawn(rest(worker, started + took.max(slowest) * 2));
            }
            (found, took)
        });
        let (found, took) = done
            .instrument(tracing::trace_span!(target: SPANS, "hash"))
            .await
            .map_err(|_| Busy)?;
        if found.is_none() {
            tokio::time::sleep_until(started + slowest).await;
        }
        self.observe(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        Ok(found)
    }

    /// Takes the same place for as long, with nothing to do.
    pub(super) async fn idle(&self) -> Result<(), Busy> {
        let _place = self.place()?;
        let (worker, time) = (self.worker().await?, self.slowest());
        tokio::time::sleep(time).await;
        tokio::spawn(rest(worker, Instant::now() + time));
        Ok(())
    }

    async fn worker(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let workers = Arc::clone(&self.workers);
        workers.acquire_owned().await.map_err(|_| Busy)
    }

    /// Rises at once and falls slowly: one hash on a busy machine is not the measure for ever.
    fn observe(&self, took: u64) {
        let slowest = self.slowest.load(Ordering::Relaxed);
        self.slowest
            .store(took.max(slowest - slowest / 8), Ordering::Relaxed);
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, Busy> {
        self.places.try_acquire().map_err(|_| Busy)
    }
}

async fn rest(worker: OwnedSemaphorePermit, until: Instant) {
    tokio::time::sleep_until(until).await;
    drop(worker);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::future::{FutureExt as _, join_all};

    use super::*;

    // Holds TE-17.
    #[tokio::test(start_paused = true)]
    async fn a_full_queue_turns_everybody_away_alike() {
        let queue = HashQueue::new(1);
        queue.slowest.store(1_000_000, Ordering::Relaxed);
        let outcomes = join_all((0..PLACES + 10).map(|_| queue.idle())).await;
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_err()).count(),
            10
        );
        assert_eq!(queue.run(|| Some(1)).await, Ok(Some(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn idling_takes_as_long_as_the_slowest_hash() {
        let queue = HashQueue::new(1);
        queue.slowest.store(12_000_000, Ordering::Relaxed);
        let started = Instant::now();
        join_all([queue.idle(), queue.idle()])
            .await
            .into_iter()
            .for_each(|done| done.unwrap());
        assert_eq!(started.elapsed(), Duration::from_millis(12 + 12 + 12));
    }

    // Holds TE-17.
    #[tokio::test]
    async fn a_worker_rests_after_work_that_was_in_vain_also_when_nobody_waits_for_it() {
        let queue = HashQueue::new(1);
        let (told, worked) = std::sync::mpsc::channel();
        let in_vain = move || -> Option<()> {
            let started = Instant::now();
            bcrypt::hash("guess", 6).unwrap();
            told.send(started.elapsed()).unwrap();
            None
        };
        let started = Instant::now();
        // Whoever asked hangs up at once.
        assert!(queue.run(in_vain).now_or_never().is_none());
        assert_eq!(queue.run(|| Some(1)).await, Ok(Some(1)));
        assert!(started.elapsed() >= 2 * worked.recv().unwrap());
    }

    // Holds TE-13.
    #[tokio::test(start_paused = true)]
    async fn a_hash_that_fits_nothing_keeps_its_turn_as_long_as_no_hash() {
        let queue = HashQueue::new(1);
        queue.slowest.store(12_000_000, Ordering::Relaxed);
        let turn = async |has_hash: bool| {
            let started = Instant::now();
            match has_hash {
                true => assert_eq!(queue.run(|| None::<()>).await, Ok(None)),
                false => queue.idle().await.unwrap(),
            }
            queue.slowest.store(12_000_000, Ordering::Relaxed);
            let took = started.elapsed();
            // The worker rests before the next turn.
            tokio::time::sleep(Duration::from_millis(24)).await;
            took
        };
        assert_eq!(turn(true).await, turn(false).await);
        let started = Instant::now();
        assert_eq!(queue.run(|| Some(1)).await, Ok(Some(1)));
        assert_eq!(
            started.elapsed(),
            Duration::ZERO,
            "who is right need not wait"
        );
    }
}
