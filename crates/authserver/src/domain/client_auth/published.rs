//! Keys that others publish: fetched when they are needed and kept for a while; an unknown name asks
//! again, but not more often than the pause allows.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use carnet_jose::{JwkSet, KeyError, TokenError, jws};
use tokio::{sync::Mutex, time::Instant};

use crate::fetch::FetchError;

/// Older keys are fetched again when they are needed.
const FRESH: Duration = Duration::from_secs(300);

/// Where the fetch fails, keys of this age still count.
const STALE: Duration = Duration::from_secs(3600);

/// One address is asked no more often.
const PAUSE: Duration = Duration::from_secs(30);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    /// There is no document.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is no key set.
    #[error("the answer is no key set: {0}")]
    Document(#[from] KeyError),
    /// It holds no key that could be used. Those that were there before stay.
    #[error("the key set is empty, or none of its keys can be used")]
    Empty,
    /// A discovery document cannot be believed.
    #[error("the discovery document {0}")]
    Discovery(&'static str),
}

/// What keys say to a question: yes, no, or that they do not know of what was asked.
pub(super) type Said = Option<bool>;

/// What is known of the keys of one address.
#[derive(Debug)]
pub(super) struct PublishedKeys<K = JwkSet> {
    kept: ArcSwapOption<Kept<K>>,
    /// When it was last asked. Held while it is asked, so that many who wait ask once.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Kept<K> {
    keys: K,
    since: Instant,
}

impl<K> Default for PublishedKeys<K> {
    fn default() -> Self {
        Self {
            kept: ArcSwapOption::empty(),
            asked: Mutex::default(),
        }
    }
}

impl PublishedKeys {
    /// Whether one of the keys signed the text; `fetched` is awaited where those that are known do
    /// not tell.
    pub(super) async fn verify(
        &self,
        text: &str,
        fetched: impl Future<Output = Result<JwkSet, KeysError>>,
    ) -> bool {
        let signed = |keys: &JwkSet| match jws::verify(text, keys) {
            Err(TokenError::NoKey) => None,
            outcome => Some(outcome.is_ok()),
        };
        self.say(signed, fetched).await
    }
}

impl<K> PublishedKeys<K> {
    /// Whether the keys say yes; `fetched` is awaited where those that are known do not tell.
    pub(super) async fn say(
        &self,
        question: impl Fn(&K) -> Said,
        fetched: impl Future<Output = Result<K, KeysError>>,
    ) -> bool {
        let fresh = self.younger_than(FRESH);
        if let Some(said) = fresh.and_then(|kept| question(&kept.keys)) {
            return said;
        }
        self.ask(fetched).await;
        let kept = self.younger_than(STALE);
        kept.is_some_and(|kept| question(&kept.keys) == Some(true))
    }

    /// Fetches the keys, unless that was tried a moment ago.
    async fn ask(&self, fetched: impl Future<Output = Result<K, KeysError>>) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        match fetched.await {
            Ok(keys) => self.kept.store(Some(Arc::new(Kept {
                keys,
                since: Instant::now(),
            }))),
            Err(error) => {
                tracing::warn!(error = %error, "keys for client assertions could not be fetched");
            }
        }
    }

    fn younger_than(&self, age: Duration) -> Option<Arc<Kept<K>>> {
        self.kept
            .load_full()
            .filter(|kept| kept.since.elapsed() < age)
    }
}

/// The keys of a document.
pub(super) fn read(document: &[u8]) -> Result<JwkSet, KeysError> {
    let keys = JwkSet::from_json(document)?;
    match keys.keys().is_empty() {
        true => Err(KeysError::Empty),
        false => Ok(keys),
    }
}
