//! Tokens that were right, by their digests: never beyond their end, nor for longer than a few
//! minutes, nor with keys that are not published any more. Bounded by bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use carnet_oauth::Random;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::jwks::{Believed, Published};
use crate::middleware::bearer::{self, Known};
use crate::middleware::digests::{Digest, Digests};

/// Bytes that the tokens of one middleware may take, roughly.
const MOST: u64 = 32 << 20;

/// Tokens expected, for the first size of tables.
const EXPECTED: usize = 1024;

/// Older ones are judged anew.
const LONGEST: Duration = Duration::from_secs(300);

/// The tokens of one middleware.
pub(super) struct Remembered {
    digests: Digests,
    tokens: Cache<Digest, Arc<Entry>, Bytes>,
}

struct Entry {
    known: Arc<Known>,
    until: SystemTime,
    /// Not before it was noted: the clock may have been put back.
    since: SystemTime,
    keys: Option<Arc<Published>>,
    /// Of the token.
    length: usize,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Digest, Arc<Entry>> for Bytes {
    /// The claims read, and what is around them.
    fn weight(&self, _: &Digest, entry: &Arc<Entry>) -> u64 {
        u64::try_from(512 + 4 * entry.length).unwrap_or(u64::MAX)
    }
}

/// How long a token may be remembered.
pub(super) struct Until {
    end: Option<SystemTime>,
    keys: Option<Arc<Published>>,
}

impl Until {
    pub(super) fn of(believed: &Believed) -> Self {
        Self {
            end: bearer::end(believed.end),
            keys: believed.keys.clone(),
        }
    }
}

impl Remembered {
    /// The error is one sentence.
    pub(super) fn new(random: &dyn Random) -> Result<Self, String> {
        Ok(Self {
            digests: Digests::new(random)?,
            tokens: Cache::with_weighter(EXPECTED, MOST, Bytes),
        })
    }

    /// What is known of a token, if the keys that it was verified with are still trusted.
    pub(super) fn find(
        &self,
        token: &str,
        now: SystemTime,
        is_trusted: impl FnOnce(Option<&Arc<Published>>) -> bool,
    ) -> Option<Arc<Known>> {
        let entry = self.tokens.get(&self.digests.of(token).ok()?)?;
        let is_good = entry.since <= now && now < entry.until;
        (is_good && is_trusted(entry.keys.as_ref())).then(|| Arc::clone(&entry.known))
    }

    pub(super) fn note(&self, token: &str, known: &Arc<Known>, until: Until, now: SystemTime) {
        let longest = now + LONGEST;
        let end = until.end.map_or(longest, |end| end.min(longest));
        if end <= now {
            return;
        }
        let entry = Entry {
            known: Arc::clone(known),
            until: end,
            since: now,
            keys: until.keys,
            length: token.len(),
        };
        if let Ok(digest) = self.digests.of(token) {
            self.tokens.insert(digest, Arc::new(entry));
        }
    }
}
