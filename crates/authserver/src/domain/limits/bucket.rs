//! One allowance that fills up evenly (the generic cell rate algorithm).

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

/// An allowance.
#[derive(Debug)]
pub(in crate::domain) struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>,
    ticks: Ticks,
    most: NonZeroU32,
}

/// The time since the allowance was made.
#[derive(Debug, Clone)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Bucket {
    /// A full one: at most so many at once, filled up in so long.
    pub(in crate::domain) fn new(most: NonZeroU32, within: Duration) -> Option<Self> {
        let quota = Quota::with_period(within / most.get())?.allow_burst(most);
        let ticks = Ticks(Instant::now());
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, ticks.clone()),
            ticks,
            most,
        })
    }

    /// Takes so many, or all that it can ever hold.
    ///
    /// # Errors
    /// How long to wait until so many are there; then nothing was taken.
    pub(in crate::domain) fn take(&self, count: NonZeroU32) -> Result<(), Duration> {
        match self.limiter.check_n(count.min(self.most)) {
            // No more than it holds is ever asked for.
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(until)) => Err(until.wait_time_from(self.ticks.now())),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    #[tokio::test(start_paused = true)]
    async fn it_holds_so_many_and_fills_up_evenly() {
        let three = NonZeroU32::new(3).unwrap();
        let bucket = Bucket::new(three, Duration::from_secs(30)).unwrap();
        assert!((0..3).all(|_| bucket.take(ONE).is_ok()));
        assert_eq!(bucket.take(ONE), Err(Duration::from_secs(10)));
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(bucket.take(ONE), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(bucket.take(ONE), Ok(()));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(bucket.take(NonZeroU32::MAX), Ok(()));
        assert!(bucket.take(ONE).is_err());
    }
}
