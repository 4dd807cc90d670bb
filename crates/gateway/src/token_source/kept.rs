//! The tokens of one source, each under its key, with what is known of its use.
//!
//! Bounded by bytes. What is no longer fresh is never given out; it leaves when something else
//! takes its place.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::Asker;
use super::key::Key;
use super::token::{Asked, Token};

/// Bytes that the tokens of one source may take, roughly.
const MOST: u64 = 64 << 20;

/// Tokens expected, for the first size of tables.
const EXPECTED: usize = 1024;

/// The tokens of a source.
pub(super) struct Kept {
    by_key: Cache<Key, Arc<Entry>, Bytes>,
    /// What `used` and `due` count from.
    start: Instant,
}

/// A token that is kept.
pub(super) struct Entry {
    pub(super) token: Arc<Token>,
    /// The client it was given to, as it calls itself.
    pub(super) client_id: Box<str>,
    /// When it was last given out, in milliseconds since the start.
    used: AtomicU64,
    /// When it is to be fetched anew; `u64::MAX`: somebody does so already.
    due: AtomicU64,
    /// Whether it came ahead of its predecessor's end and nobody has been given it yet.
    is_news: AtomicBool,
    /// What the next token is asked for with, where a clock does it.
    asker: Mutex<Option<Asker>>,
}

/// A token from memory.
pub(super) struct Found {
    pub(super) token: Arc<Token>,
    /// Whether this is the first use of a token that was fetched ahead of time.
    pub(super) is_news: bool,
    /// Whether the one who found it is to fetch the next; only one is told so.
    pub(super) is_due: bool,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Entry>> for Bytes {
    /// The token, its claims read, and what is around them.
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        let bytes = 512 + 4 * entry.token.bearer.len() + entry.client_id.len();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Kept {
    pub(super) fn new() -> Self {
        Self {
            by_key: Cache::with_weighter(EXPECTED, MOST, Bytes),
            start: Instant::now(),
        }
    }

    /// The token of a key while it is fresh, which counts as a use of it.
    pub(super) fn find(&self, key: &Key, now: Asked) -> Option<Found> {
        let entry = self.by_key.get(key)?;
        if !entry.token.is_fresh(now) {
            return None;
        }
        let at = self.millis(now.at);
        entry.used.store(at, Ordering::Relaxed);
        Some(Found {
            token: Arc::clone(&entry.token),
            is_news: entry.is_news.load(Ordering::Relaxed)
                && entry.is_news.swap(false, Ordering::Relaxed),
            is_due: entry.take_due(at),
        })
    }

    /// The entry of a key, without counting as a use.
    pub(super) fn look(&self, key: &Key) -> Option<Arc<Entry>> {
        self.by_key.peek(key)
    }

    /// Keeps a token in the place of the one before. One that was fetched `ahead` of time was not
    /// used since the one before was; any other is being used now.
    pub(super) fn keep(&self, key: Key, token: Arc<Token>, client_id: &str, ahead: bool) {
        let before = self.by_key.peek(&key);
        let used = match before.filter(|_| ahead) {
            Some(before) => before.used.load(Ordering::Relaxed),
            None => self.millis(Instant::now()),
        };
        let entry = Entry {
            token,
            client_id: client_id.into(),
            used: AtomicU64::new(used),
            due: AtomicU64::new(u64::MAX),
            is_news: AtomicBool::new(ahead),
            asker: Mutex::default(),
        };
        self.by_key.insert(key, Arc::new(entry));
    }

    /// Says when a token is to be fetched anew by the one who finds it then.
    pub(super) fn set_due(&self, entry: &Entry, due: Instant) {
        entry.due.store(self.millis(due), Ordering::Relaxed);
    }

    /// Whether nobody was given a token for twice as long as it lives.
    pub(super) fn is_idle(&self, entry: &Entry, now: Instant) -> bool {
        let used = Duration::from_millis(entry.used.load(Ordering::Relaxed));
        let used = self.start + used;
        now.saturating_duration_since(used) > entry.token.usable_life() * 2
    }

    /// Drops the token of a key; tells whether there was one.
    pub(super) fn remove(&self, key: &Key) -> bool {
        self.by_key.remove(key).is_some()
    }

    /// Drops the tokens that are not to stay; tells how many.
    pub(super) fn retain(&self, stays: impl Fn(&Entry) -> bool) -> u64 {
        let dropped = AtomicU64::new(0);
        self.by_key.retain(|_, entry| {
            let stays = stays(entry);
            if !stays {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
            stays
        });
        dropped.into_inner()
    }

    /// Drops a token if it still is this one; tells whether it was.
    pub(super) fn remove_this(&self, key: &Key, token: &Arc<Token>) -> bool {
        let is_it = |entry: &Arc<Entry>| Arc::ptr_eq(&entry.token, token);
        self.by_key.remove_if(key, is_it).is_some()
    }

    /// All tokens that are kept now, fresh or not.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.by_key.iter().map(|(_, entry)| entry).collect()
    }

    /// When an entry was last given out.
    pub(super) fn last_used(&self, entry: &Entry) -> Instant {
        self.start + Duration::from_millis(entry.used.load(Ordering::Relaxed))
    }

    pub(super) fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

impl Entry {
    /// Holds a secret until the next token is asked for, or until nobody wants it any more.
    pub(super) fn hold(&self, asker: Asker) {
        *self.held() = Some(asker);
    }

    /// The secret, for one caller once the moment has come.
    pub(super) fn let_go(&self, at: u64) -> Option<Asker> {
        self.take_due(at).then(|| self.held().take()).flatten()
    }

    fn held(&self) -> MutexGuard<'_, Option<Asker>> {
        self.asker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True for one caller once the moment has come.
    fn take_due(&self, at: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        at >= due
            && self
                .due
                .compare_exchange(due, u64::MAX, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
