//! How often a secret may be guessed. A guess is an attempt with a secret that is not known to be
//! right: who comes with the right one again never counts here. Each id has an allowance for each
//! address that asks for it, whether or not there is such a client, so that nobody learns from it
//! which ids there are, and nobody uses up another's.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

use crate::{domain::limits::bucket::Bucket, options::Guesses};

/// So many pairs of an id and an address are remembered. Who makes the server forget one pays with
/// as many guesses at other ids.
const REMEMBERED: usize = 16_384;

/// A hash that takes as long counts as one more guess.
const UNIT: Duration = Duration::from_millis(25);

/// The allowances.
#[derive(Debug)]
pub(in crate::domain) struct GuessLimiter {
    options: Guesses,
    allowances: Cache<(Digest, Option<IpAddr>), Arc<Bucket>>,
}

/// Of an id: ids are as long as who sends them likes.
type Digest = [u8; 32];

impl GuessLimiter {
    pub(in crate::domain) fn new(options: Guesses) -> Self {
        Self {
            options,
            allowances: Cache::new(REMEMBERED),
        }
    }

    /// Counts a guess at the secret of an id, which will cost a hash of such a duration.
    ///
    /// # Errors
    /// How long to wait, when there were too many: then there is to be no hash.
    pub(in crate::domain) fn take(
        &self,
        id: &str,
        from: Option<IpAddr>,
        hash: Duration,
    ) -> Result<(), Duration> {
        let rate = NonZeroU32::new(self.options.rate);
        let Some((rate, burst)) = rate.zip(NonZeroU32::new(self.options.burst)) else {
            return Ok(());
        };
        let key = (digest_of(id), from.map(network));
        let fresh = || {
            let within = Duration::from_secs(1) * burst.get() / rate.get();
            Bucket::new(burst, within).map(Arc::new).ok_or(())
        };
        let Ok(allowance) = self.allowances.get_or_insert_with(&key, fresh) else {
            return Ok(());
        };
        let units = u32::try_from(hash.as_nanos() / UNIT.as_nanos()).unwrap_or(u32::MAX);
        allowance.take(NonZeroU32::MIN.saturating_add(units))
    }
}

fn digest_of(id: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, id.as_bytes()).as_ref());
    bytes
}

/// Who has one address of version 6 has its whole network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn passed(limiter: &GuessLimiter, id: &str, from: Option<IpAddr>, hash: u64) -> usize {
        let hash = Duration::from_millis(hash);
        (0..100)
            .filter(|_| limiter.take(id, from, hash).is_ok())
            .count()
    }

    // Holds TE-17.
    #[tokio::test(start_paused = true)]
    async fn each_id_has_an_allowance_for_each_address() {
        let limiter = GuessLimiter::new(Guesses {
            rate: 10,
            burst: 20,
        });
        assert_eq!(passed(&limiter, "a", address("10.0.0.1"), 1), 20);
        assert_eq!(passed(&limiter, "a", address("10.0.0.1"), 1), 0);
        assert_eq!(passed(&limiter, "a", address("10.0.0.2"), 1), 20);
        assert_eq!(passed(&limiter, "b", address("10.0.0.1"), 1), 20);
        assert_eq!(passed(&limiter, "a", address("2001:db8::1"), 1), 20);
        assert_eq!(passed(&limiter, "a", address("2001:db8::2"), 1), 0);
        assert_eq!(passed(&limiter, "a", address("::ffff:10.0.0.1"), 1), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(passed(&limiter, "a", address("10.0.0.1"), 1), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_hash_costs_more_and_one_is_always_possible() {
        let limiter = GuessLimiter::new(Guesses {
            rate: 10,
            burst: 20,
        });
        assert_eq!(passed(&limiter, "a", None, 100), 4);
        assert_eq!(passed(&limiter, "b", None, 60_000), 1);
        let off = GuessLimiter::new(Guesses { rate: 0, burst: 20 });
        assert_eq!(passed(&off, "a", None, 1), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_ids_takes_no_more_than_its_share_of_memory() {
        let limiter = GuessLimiter::new(Guesses {
            rate: 10,
            burst: 20,
        });
        for id in 0..3 * REMEMBERED {
            limiter.take(&id.to_string(), None, UNIT).unwrap();
        }
        assert!(limiter.allowances.len() <= REMEMBERED);
    }
}
