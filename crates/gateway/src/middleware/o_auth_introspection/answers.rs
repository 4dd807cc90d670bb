//! What a server said of tokens, by their digests, for as long as it may be believed; and the
//! questions that are on their way, one for each token however many wait. Bounded by bytes and by
//! questions.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::middleware::bearer::Known;
use crate::middleware::digests::Digest;

/// Bytes that answers may take, roughly.
const MOST: u64 = 32 << 20;

/// Answers expected, for the first size of tables.
const EXPECTED: usize = 1024;

/// Questions that may be on their way at one time: each has a connection.
const AT_ONCE: usize = 256;

/// What a token is.
pub(super) struct Verdict {
    /// The error says why it does not count.
    pub(super) known: Result<Arc<Known>, &'static str>,
    since: SystemTime,
    until: SystemTime,
    /// Of the token.
    length: usize,
}

/// The error says, for the log, why there is no answer.
pub(super) type Outcome = Result<Arc<Verdict>, String>;

type Flight = Shared<BoxFuture<'static, Outcome>>;

/// The answers of one server.
pub(super) struct Answers {
    kept: Cache<Digest, Arc<Verdict>, Bytes>,
    on_their_way: Mutex<BTreeMap<Digest, Flight>>,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Digest, Arc<Verdict>> for Bytes {
    /// The claims read, and what is around them.
    fn weight(&self, _: &Digest, verdict: &Arc<Verdict>) -> u64 {
        let claims = match &verdict.known {
            Ok(_) => 2048 + 4 * verdict.length,
            Err(_) => 256,
        };
        u64::try_from(claims).unwrap_or(u64::MAX)
    }
}

impl Verdict {
    /// It counts from the first of these moments to before the second.
    pub(super) fn new(
        known: Result<Arc<Known>, &'static str>,
        (since, until): (SystemTime, SystemTime),
        length: usize,
    ) -> Self {
        Self {
            known,
            since,
            until,
            length,
        }
    }

    fn is_good(&self, now: SystemTime) -> bool {
        self.since <= now && now < self.until
    }
}

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            kept: Cache::with_weighter(EXPECTED, MOST, Bytes),
            on_their_way: Mutex::default(),
        }
    }

    /// What was said of a token, if it still counts.
    pub(super) fn find(&self, digest: &Digest, now: SystemTime) -> Option<Arc<Verdict>> {
        self.kept.get(digest).filter(|verdict| verdict.is_good(now))
    }

    /// The answer to the question that is on its way, or that has come meanwhile, or to a new one. It is
    /// asked to its end even when nobody waits any more. `owner` holds these answers.
    pub(super) async fn one_for_all<O>(
        &self,
        owner: &Arc<O>,
        (digest, now): (Digest, SystemTime),
        ask: impl Future<Output = Result<Verdict, String>> + Send + 'static,
    ) -> Outcome
    where
        O: AsRef<Self> + Send + Sync + 'static,
    {
        let flight = {
            let mut on_their_way = self.on_their_way();
            // One that has just landed is off the list, and kept.
            if let Some(verdict) = self.find(&digest, now) {
                return Ok(verdict);
            }
            match on_their_way.get(&digest) {
                Some(flight) => flight.clone(),
                None if on_their_way.len() >= AT_ONCE => {
                    return Err("too many tokens wait for an answer".to_owned());
                }
                None => {
                    let landing = land(Arc::clone(owner), digest, ask);
                    let task = tokio::spawn(landing);
                    let broke_off = || Err("the question broke off".to_owned());
                    let flight = task.map(move |outcome| outcome.unwrap_or_else(|_| broke_off()));
                    let flight = flight.boxed().shared();
                    on_their_way.insert(digest, flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    fn on_their_way(&self) -> MutexGuard<'_, BTreeMap<Digest, Flight>> {
        self.on_their_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks, and leaves the answer where others look before the flight is gone.
async fn land<O: AsRef<Answers>>(
    owner: Arc<O>,
    digest: Digest,
    ask: impl Future<Output = Result<Verdict, String>>,
) -> Outcome {
    let answers: &Answers = (*owner).as_ref();
    let gone = Gone(answers, digest);
    let outcome = ask.await.map(Arc::new);
    if let Ok(verdict) = &outcome
        && verdict.since < verdict.until
    {
        answers.kept.insert(digest, Arc::clone(verdict));
    }
    drop(gone);
    outcome
}

/// Takes a flight off the list, however it ends.
struct Gone<'a>(&'a Answers, Digest);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.on_their_way().remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    struct Owner(Answers);

    impl AsRef<Answers> for Owner {
        fn as_ref(&self) -> &Answers {
            &self.0
        }
    }

    fn no() -> Verdict {
        Verdict::new(Err("no"), (NOW, NOW + Duration::from_secs(5)), 10)
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_with_one_token_ask_once_and_share_what_fails() {
        let owner = Arc::new(Owner(Answers::new()));
        for outcome in [Ok(()), Err("no answer")] {
            let asked = Arc::new(AtomicUsize::new(0));
            let waiting = (0..10_000).map(|_| {
                let asked = Arc::clone(&asked);
                let digest = [u8::from(outcome.is_ok()); 16];
                owner.0.one_for_all(&owner, (digest, NOW), async move {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    outcome.map(|()| no()).map_err(str::to_owned)
                })
            });
            let all = join_all(waiting).await;
            assert!(all.iter().all(|answer| answer.is_ok() == outcome.is_ok()));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            assert!(owner.0.on_their_way().is_empty());
        }
    }
}
