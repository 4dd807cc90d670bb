//! Tokens that were right, by their digests: never beyond their end, nor for longer than a few
//! minutes, nor with keys that are not published any more. Bounded by bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::jwks::{Believed, Published};
use crate::middleware::bearer::{self, Known};
use crate::middleware::digests::Digest;

/// Bytes that the tokens of one middleware may take, roughly.
const MOST: u64 = 32 << 20;

/// Tokens expected, for the first size of tables.
const EXPECTED: usize = 1024;

/// Older ones are judged anew.
const LONGEST: Duration = Duration::from_secs(300);

/// The tokens of one middleware.
pub(super) struct Remembered(Cache<Digest, Arc<Entry>, Bytes>);

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
            end: bearer::end(&believed.claims),
            keys: believed.keys.clone(),
        }
    }
}

impl Remembered {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(EXPECTED, MOST, Bytes))
    }

    /// The token, and the keys that it was verified with.
    pub(super) fn find(
        &self,
        digest: &Digest,
        now: SystemTime,
    ) -> Option<(Arc<Known>, Option<Arc<Published>>)> {
        let entry = self.0.get(digest)?;
        let is_good = entry.since <= now && now < entry.until;
        is_good.then(|| (Arc::clone(&entry.known), entry.keys.clone()))
    }

    pub(super) fn note(
        &self,
        digest: Digest,
        known: &Arc<Known>,
        until: Until,
        length: usize,
        now: SystemTime,
    ) {
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
            length,
        };
        self.0.insert(digest, Arc::new(entry));
    }
}
