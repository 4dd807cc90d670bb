//! How much is sent a second time at most: a fifth of what is sent, and some a second for who sends
//! little. A server in trouble does not get twice the requests for it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// What a request pays in.
const SHARE: f64 = 0.2;

/// What is there besides that share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// What a second pays in.
    pub(crate) a_second: f64,
    /// What may be saved, and what is there at the start.
    pub(crate) most: f64,
}

/// Retries that are left. Counting a request writes nothing that another thread writes; who wants
/// to retry takes a lock.
#[derive(Debug)]
pub(crate) struct Budget {
    allowance: Allowance,
    sent: Striped,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    left: f64,
    since: Instant,
    /// Requests that have paid in.
    counted: u64,
}

impl Budget {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            sent: Striped::default(),
            account: Mutex::new(Account {
                left: allowance.most,
                since: Instant::now(),
                counted: 0,
            }),
        }
    }

    /// A request is sent for the first time.
    pub(crate) fn sent(&self) {
        self.sent.add();
    }

    /// Whether one may be sent again: it is taken off if so.
    pub(crate) fn take(&self) -> bool {
        let (now, sent) = (Instant::now(), self.sent.sum());
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let new = u32::try_from(sent.saturating_sub(account.counted)).unwrap_or(u32::MAX);
        let passed = now.saturating_duration_since(account.since).as_secs_f64();
        let paid_in = f64::from(new) * SHARE + passed * self.allowance.a_second;
        account.left = (account.left + paid_in).min(self.allowance.most);
        (account.since, account.counted) = (now, sent);
        let is_enough = account.left >= 1.0;
        if is_enough {
            account.left -= 1.0;
        }
        is_enough
    }
}

/// As many as there are processors to write at the same time, more or less.
const STRIPES: usize = 8;

/// A counter in parts, each on cache lines of its own.
#[derive(Debug, Default)]
struct Striped([Stripe; STRIPES]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl Striped {
    fn add(&self) {
        self.0[own_stripe()].0.fetch_add(1, Ordering::Relaxed);
    }

    fn sum(&self) -> u64 {
        let stripes = self.0.iter();
        stripes.map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

/// The part that this thread writes to.
fn own_stripe() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    OWN.with(|own| *own)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn taken(budget: &Budget, sent: usize) -> usize {
        (0..sent).for_each(|_| budget.sent());
        (0..1000).filter(|_| budget.take()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_requests_and_ten_a_second_are_repeated() {
        let budget = Budget::new(Allowance {
            a_second: 10.0,
            most: 200.0,
        });
        assert_eq!(taken(&budget, 0), 200);
        assert_eq!(taken(&budget, 4), 0);
        assert_eq!(taken(&budget, 500), 100);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(taken(&budget, 0), 30);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(taken(&budget, 1_000_000), 200);
    }

    #[test]
    fn threads_count_together() {
        let counter = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| (0..100).for_each(|_| counter.add()));
            }
        });
        assert_eq!(counter.sum(), 1200);
    }
}
