//! Nonces: a time, something random, and a digest of both by a key that nobody else has. So none of
//! them is kept that somebody asked for and did not use; of those that a right password came with, the
//! greatest count is, in bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carnet_oauth::{Clock, Random};
use quick_cache::sync::Cache;

use crate::supplies::Supplies;

/// How long one can be used.
const LIFETIME: Duration = Duration::from_secs(300);
/// So many are remembered.
const REMEMBERED: usize = 65_536;
const TIME: usize = 8;
const NOISE: usize = 8;
const DIGEST: usize = 16;

/// What is known of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It was not used with this count or a greater one.
    Fresh,
    /// It was, or its time is over.
    Old,
    /// It is none of ours, or the count is no number.
    Foreign,
}

/// Makes and knows them.
pub(super) struct Nonces {
    key: hmac::Key,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The greatest count, by nonce.
    counts: Cache<Vec<u8>, Arc<AtomicU64>>,
}

impl Nonces {
    pub(super) fn new(supplies: &Supplies) -> Self {
        let mut key = [0; 32];
        supplies.random.fill(&mut key);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            clock: Arc::clone(&supplies.clock),
            random: Arc::clone(&supplies.random),
            counts: Cache::new(REMEMBERED),
        }
    }

    /// A new one.
    pub(super) fn made(&self) -> String {
        let mut noise = [0; NOISE];
        self.random.fill(&mut noise);
        let text = [self.seconds().to_be_bytes(), noise].concat();
        let digest = hmac::sign(&self.key, &text);
        let digest = digest.as_ref().get(..DIGEST).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([text.as_slice(), digest].concat())
    }

    /// Uses one, with the count that the client gives, in hexadecimal digits.
    pub(super) fn used(&self, nonce: &str, count: &str) -> Age {
        let count = u64::from_str_radix(count, 16).ok().filter(|n| *n > 0);
        let (Some(made), Some(count)) = (self.made_at(nonce), count) else {
            return Age::Foreign;
        };
        let age = self.seconds().checked_sub(made);
        if age.is_none_or(|age| age > LIFETIME.as_secs()) {
            return Age::Old;
        }
        let known = self.counts.get_or_insert_with(nonce.as_bytes(), || {
            Ok::<_, std::convert::Infallible>(Arc::default())
        });
        let Ok(known) = known;
        match known.fetch_max(count, Ordering::AcqRel) < count {
            true => Age::Fresh,
            false => Age::Old,
        }
    }

    /// When one of ours was made, in seconds since 1970.
    fn made_at(&self, nonce: &str) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (text, digest) = bytes.split_at_checked(TIME + NOISE)?;
        let expected = hmac::sign(&self.key, text);
        let expected = expected.as_ref().get(..DIGEST)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(expected, digest).ok()?;
        Some(u64::from_be_bytes(*text.first_chunk()?))
    }

    fn seconds(&self) -> u64 {
        let since = self.clock.now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }
}
