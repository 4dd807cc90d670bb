//! What a member has to do: requests in flight, and how soon it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The answers that a mean looks back at.
const SAMPLES: u32 = 100;

/// A member's load. What threads write at the same time may lose a sample, never a request.
#[derive(Debug, Default)]
pub(in crate::service) struct Load {
    in_flight: AtomicUsize,
    samples: AtomicU32,
    /// Mean time to an answer in microseconds, as the bits of a float.
    answer_time: AtomicU64,
}

impl Load {
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Mean time to an answer in microseconds; zero before the first.
    pub(super) fn answer_time(&self) -> f64 {
        f64::from_bits(self.answer_time.load(Ordering::Relaxed))
    }

    /// Counts an answer's time into the mean: plainly at first, later with a share of one
    /// hundredth.
    pub(in crate::service) fn answered(&self, after: Duration) {
        let samples = self.samples.load(Ordering::Relaxed).saturating_add(1);
        let samples = samples.min(SAMPLES);
        self.samples.store(samples, Ordering::Relaxed);
        let mean = self.answer_time();
        let mean = mean + (after.as_secs_f64() * 1e6 - mean) / f64::from(samples);
        self.answer_time.store(mean.to_bits(), Ordering::Relaxed);
    }
}

/// A request in flight, counted until it is dropped.
#[derive(Debug)]
pub(in crate::service) struct InFlight(Arc<Load>);

impl InFlight {
    /// One more.
    pub(in crate::service) fn new(load: &Arc<Load>) -> Self {
        load.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Candidate;
    use super::*;

    /// A member that nobody asks.
    #[derive(Default)]
    pub(in super::super) struct Idle {
        load: Arc<Load>,
        is_down: bool,
    }

    impl Idle {
        pub(in super::super) fn down() -> Self {
            Self {
                is_down: true,
                ..Self::default()
            }
        }

        pub(in super::super) fn enter(&self) -> InFlight {
            InFlight::new(&self.load)
        }
    }

    impl Candidate for Idle {
        fn is_eligible(&self) -> bool {
            !self.is_down
        }

        fn load(&self) -> &Load {
            &self.load
        }
    }

    #[test]
    fn the_mean_follows_the_last_hundred_answers() {
        let load = Load::default();
        load.answered(Duration::from_millis(10));
        load.answered(Duration::from_millis(30));
        assert!((load.answer_time() - 20_000.0).abs() < 1.0);
        for _ in 0..1000 {
            load.answered(Duration::from_millis(1));
        }
        assert!((load.answer_time() - 1000.0).abs() < 10.0);
    }

    #[test]
    fn what_is_over_is_not_in_flight() {
        let member = Idle::default();
        let (one, two) = (member.enter(), member.enter());
        assert_eq!(member.load.in_flight(), 2);
        drop((one, two));
        assert_eq!(member.load.in_flight(), 0);
    }
}
