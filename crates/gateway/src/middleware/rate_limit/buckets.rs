//! Token buckets, one a source, in bounded memory.
//!
//! Not `governor`, which the authorization server uses: it has no reservations, by which a request
//! that comes a little early waits in place of being refused, and its map has no bound (ADR 0030).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use carnet_config::routing::middleware::RateLimit as Options;
use carnet_oauth::Random;
use tokio::time::Instant;

/// So many sources are known at once, as in Traefik; those that came last.
const SOURCES: usize = 65_536;
/// The longest that anybody waits in place of being refused.
const LONGEST: Duration = Duration::from_millis(500);

/// How fast a bucket fills, and how large it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) tokens_a_second: f64,
    pub(super) burst: f64,
    /// Who would have to wait longer is refused. Half of the time that a token takes.
    pub(super) patience: Duration,
}

impl Rate {
    /// `None`: nothing is limited.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody tells such numbers of requests apart"
    )]
    pub(super) fn new(options: &Options) -> Option<Self> {
        let tokens_a_second = options.average as f64 / options.period.as_secs_f64();
        (options.average > 0).then(|| Self {
            tokens_a_second,
            burst: options.burst as f64,
            patience: match tokens_a_second < 1.0 {
                true => LONGEST,
                // Traefik counts whole tokens here.
                false => Duration::from_secs(1).div_f64(tokens_a_second.trunc() * 2.0),
            },
        })
    }

    fn time_for(&self, tokens: f64) -> Duration {
        let seconds = tokens / self.tokens_a_second;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// After so long without a request a bucket is full, whatever was taken.
    pub(super) fn time_to_fill(&self) -> Duration {
        self.time_for(self.burst).saturating_add(self.patience)
    }
}

/// The buckets of all sources.
pub(super) struct Buckets {
    rate: Rate,
    digests: hmac::Key,
    known: Mutex<Generations>,
}

/// Half of the sources each. Those that nobody has asked for since the younger half was empty go
/// when it is full.
#[derive(Default)]
struct Generations {
    young: BTreeMap<Key, Bucket>,
    old: BTreeMap<Key, Bucket>,
}

/// A digest: sources are as long as clients make them, and may be credentials.
type Key = [u8; 16];

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn new(rate: Rate, random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self {
            rate,
            digests: hmac::Key::new(hmac::HMAC_SHA256, &key),
            known: Mutex::default(),
        }
    }

    /// Takes a token of a source, and says how long it is until there is one. What would be longer
    /// than the rate's patience takes nothing.
    pub(super) fn take(&self, source: &[u8]) -> Duration {
        let key = self.key(source);
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = known.bucket(key).unwrap_or(Bucket {
            tokens: self.rate.burst,
            at: now,
        });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        let tokens = bucket.tokens + passed * self.rate.tokens_a_second;
        let left = tokens.min(self.rate.burst) - 1.0;
        let wait = match left < 0.0 {
            true => self.rate.time_for(-left),
            false => Duration::ZERO,
        };
        let tokens = match wait > self.rate.patience {
            true => left + 1.0,
            false => left,
        };
        known.keep(key, Bucket { tokens, at: now });
        wait
    }

    fn key(&self, source: &[u8]) -> Key {
        let digest = hmac::sign(&self.digests, source);
        let mut key = Key::default();
        let length = key.len();
        key.copy_from_slice(&digest.as_ref()[..length]);
        key
    }
}

impl Generations {
    fn bucket(&self, key: Key) -> Option<Bucket> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    fn keep(&mut self, key: Key, bucket: Bucket) {
        self.young.insert(key, bucket);
        if self.young.len() >= SOURCES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use carnet_testkit::SeededRandom;

    use super::*;

    fn buckets(average: u64, period: u64, burst: u64) -> Buckets {
        let options = Options {
            average,
            period: Duration::from_secs(period),
            burst,
            source_criterion: None,
            redis: None,
        };
        let rate = Rate::new(&options).unwrap_or(Rate {
            tokens_a_second: f64::INFINITY,
            burst: 1.0,
            patience: Duration::ZERO,
        });
        Buckets::new(rate, &SeededRandom::default())
    }

    fn millis(wait: Duration) -> u128 {
        wait.as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_one_waits_a_little_and_then_all_are_refused() {
        let buckets = buckets(2, 1, 3);
        for _ in 0..3 {
            assert_eq!(buckets.take(b"a"), Duration::ZERO);
        }
        // 500 ms for a token, of which at most 250 are waited.
        assert_eq!(millis(buckets.take(b"a")), 500);
        tokio::time::advance(Duration::from_millis(300)).await;
        assert_eq!(millis(buckets.take(b"a")), 200);
        // That one is taken already: the next is behind it.
        assert_eq!(millis(buckets.take(b"a")), 700);
        assert_eq!(buckets.take(b"b"), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(60)).await;
        for _ in 0..3 {
            assert_eq!(buckets.take(b"a"), Duration::ZERO);
        }
        assert!(buckets.take(b"a") > Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn less_than_one_a_second_is_counted_and_refusals_cost_nothing() {
        let buckets = buckets(1, 10, 1);
        assert_eq!(buckets.take(b"a"), Duration::ZERO);
        for _ in 0..5 {
            assert_eq!(millis(buckets.take(b"a")), 10_000);
        }
        tokio::time::advance(Duration::from_millis(9_600)).await;
        assert_eq!(millis(buckets.take(b"a")), 400);
    }

    // Holds DO-05.
    #[tokio::test(start_paused = true)]
    async fn however_many_sources_there_are_memory_is_bounded_and_who_keeps_coming_is_known() {
        let buckets = buckets(1, 1000, 1);
        assert_eq!(buckets.take(b"constant"), Duration::ZERO);
        for number in 0..3 * SOURCES {
            assert_eq!(buckets.take(&number.to_be_bytes()), Duration::ZERO);
            if number % 1000 == 0 {
                assert!(buckets.take(b"constant") > Duration::ZERO);
            }
        }
        let known = buckets.known.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(known.young.len() + known.old.len() <= SOURCES);
    }
}
