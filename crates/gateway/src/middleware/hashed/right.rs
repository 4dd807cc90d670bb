//! Secrets that turned out right, and those that wait to be judged. Hashes are computed off the threads that
//! serve requests, few at once, and one for all who wait with the same secret. A secret that was right is
//! remembered, by a keyed digest, as long as the options stay the same.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::error::{Fault, Reason};
use crate::middleware::digests::Digest;

/// So many hashes are computed at once; others wait.
const AT_ONCE: usize = 2;
/// So many right secrets are remembered.
const REMEMBERED: usize = 4096;
/// So many secrets wait at most.
const WAITING: usize = 1024;
/// So many of them from one address: who guesses does not keep others from their turn for long.
const OF_ONE_ADDRESS: usize = 64;

/// The secrets that one middleware remembers.
pub(in crate::middleware) struct Right(pub(in crate::middleware) Arc<Inner>);

pub(in crate::middleware) struct Inner {
    pub(in crate::middleware) remembered: Cache<Digest, ()>,
    pub(in crate::middleware) turns: Semaphore,
    waiting: Mutex<Waiting>,
}

/// `None`: the computation broke off.
type Judged = BoxFuture<'static, Option<bool>>;

#[derive(Default)]
struct Waiting {
    by_digest: BTreeMap<Digest, Waiter>,
    /// Of the last one that began to wait.
    number: u64,
}

/// A secret that waits, as long as a request does that came with it.
struct Waiter {
    judged: Option<WeakShared<Judged>>,
    from: IpAddr,
    number: u64,
}

impl Right {
    pub(in crate::middleware) fn new() -> Self {
        Self::with_turns(AT_ONCE)
    }

    pub(in crate::middleware) fn with_turns(turns: usize) -> Self {
        Self(Arc::new(Inner {
            remembered: Cache::new(REMEMBERED),
            turns: Semaphore::new(turns),
            waiting: Mutex::default(),
        }))
    }

    /// Whether the secret of a digest was right before.
    pub(in crate::middleware) fn has(&self, digest: &Digest) -> bool {
        self.0.remembered.get(digest).is_some()
    }

    /// Whether a secret that is not remembered is right, by what takes time to compute.
    pub(in crate::middleware) async fn or_computed(
        &self,
        (digest, from): (Digest, IpAddr),
        compute: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, Fault> {
        let Some(judged) = self.judged(digest, network(from), compute) else {
            return Err(Fault::new(Reason::NoRoom)
                .retry_after(Duration::from_secs(1))
                .because("too many secrets wait for their hash"));
        };
        let outcome = judged.await;
        outcome.ok_or_else(|| Fault::new(Reason::Internal).because("a hash broke off"))
    }

    /// `None`: too many wait.
    fn judged(
        &self,
        digest: Digest,
        from: IpAddr,
        compute: impl FnOnce() -> bool + Send + 'static,
    ) -> Option<Shared<Judged>> {
        let mut waiting = self.0.waiting();
        let known = waiting.by_digest.get(&digest);
        if let Some(judged) = known.and_then(|waiter| waiter.judged.as_ref()?.upgrade()) {
            return Some(judged);
        }
        let waiters = waiting.by_digest.values();
        let of_address = waiters.filter(|waiter| waiter.from == from).count();
        if of_address >= OF_ONE_ADDRESS || waiting.by_digest.len() >= WAITING {
            return None;
        }
        waiting.number += 1;
        let number = waiting.number;
        let gone = Gone(Arc::clone(&self.0), digest, number);
        let judging = async move {
            let gone = gone;
            gone.0.computed(digest, compute).await
        };
        let judged = judging.boxed().shared();
        let waiter = Waiter {
            judged: judged.downgrade(),
            from,
            number,
        };
        waiting.by_digest.insert(digest, waiter);
        Some(judged)
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn computed(
        &self,
        digest: Digest,
        compute: impl FnOnce() -> bool + Send + 'static,
    ) -> Option<bool> {
        let turn = self.turns.acquire().await.ok()?;
        // It may have been right just before this one began to wait.
        if self.remembered.get(&digest).is_some() {
            return Some(true);
        }
        let is_right = tokio::task::spawn_blocking(compute).await.ok()?;
        drop(turn);
        if is_right {
            self.remembered.insert(digest, ());
        }
        Some(is_right)
    }
}

/// Takes a secret off the list of those that wait, also when nobody waits for it any more.
struct Gone(Arc<Inner>, Digest, u64);

impl Drop for Gone {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        let by_digest = &mut waiting.by_digest;
        // Its place may be another's by now.
        if by_digest.get(&self.1).is_some_and(|it| it.number == self.2) {
            by_digest.remove(&self.1);
        }
    }
}

/// Who has one address of version 6 has its whole network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use futures_util::future::join_all;
    use futures_util::poll;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn digest(number: usize) -> Digest {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    // Holds DO-04.
    #[tokio::test]
    async fn who_guesses_fills_his_own_places_and_nobody_elses() {
        let right = Right::new();
        let turns = right.0.turns.acquire_many(2).await.unwrap();
        let mut guesses: Vec<_> = (0..OF_ONE_ADDRESS)
            .map(|number| Box::pin(right.or_computed((digest(number), HERE), || false)))
            .collect();
        for guess in &mut guesses {
            assert!(matches!(poll!(guess.as_mut()), Poll::Pending));
        }
        let beyond = digest(OF_ONE_ADDRESS);
        let fault = right.or_computed((beyond, HERE), || false).await;
        let fault = fault.unwrap_err();
        assert_eq!(fault.reason(), Reason::NoRoom);
        assert_eq!(fault.wait(), Some(Duration::from_secs(1)));
        let mut other = pin!(right.or_computed((beyond, THERE), || true));
        assert!(matches!(poll!(other.as_mut()), Poll::Pending));
        // A guess that nobody waits for any more makes place for another.
        drop(guesses.pop());
        let mut next = pin!(right.or_computed((digest(usize::MAX), HERE), || true));
        assert!(matches!(poll!(next.as_mut()), Poll::Pending));
        drop((guesses, turns));
        assert!(other.await.unwrap());
        assert!(next.await.unwrap());
        assert!(right.0.waiting().by_digest.is_empty());
    }

    #[tokio::test]
    async fn ten_thousand_who_come_with_one_secret_cost_one_hash_right_or_wrong() {
        let right = Right::new();
        for is_right in [false, true] {
            let computed = Arc::new(AtomicUsize::new(0));
            let turns = right.0.turns.acquire_many(2).await.unwrap();
            let waiting = (0..10_000).map(|_| {
                let computed = Arc::clone(&computed);
                right.or_computed((digest(is_right.into()), HERE), move || {
                    computed.fetch_add(1, Ordering::Relaxed);
                    is_right
                })
            });
            let mut all = pin!(join_all(waiting));
            assert!(matches!(poll!(all.as_mut()), Poll::Pending));
            drop(turns);
            for outcome in all.await {
                assert_eq!(outcome.unwrap(), is_right);
            }
            assert_eq!(computed.load(Ordering::Relaxed), 1);
        }
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let one = network("2001:db8::1".parse().unwrap());
        assert_eq!(one, network("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(one, network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), HERE);
    }
}
