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

/// What is known of the keys of one address.
#[derive(Debug, Default)]
pub(super) struct PublishedKeys {
    kept: ArcSwapOption<Kept>,
    /// When it was last asked. Held while it is asked, so that many who wait ask once.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Kept {
    keys: JwkSet,
    since: Instant,
}

impl PublishedKeys {
    /// Whether one of the keys signed the text; `fetched` is awaited where those that are known do
    /// not tell.
    pub(super) async fn verify(
        &self,
        text: &str,
        fetched: impl Future<Output = Result<JwkSet, KeysError>>,
    ) -> bool {
        if let Some(kept) = self.younger_than(FRESH) {
            match jws::verify(text, &kept.keys) {
                Err(TokenError::NoKey) => {}
                outcome => return outcome.is_ok(),
            }
        }
        self.ask(fetched).await;
        let kept = self.younger_than(STALE);
        kept.is_some_and(|kept| jws::verify(text, &kept.keys).is_ok())
    }

    /// Fetches the keys, unless that was tried a moment ago.
    async fn ask(&self, fetched: impl Future<Output = Result<JwkSet, KeysError>>) {
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

    fn younger_than(&self, age: Duration) -> Option<Arc<Kept>> {
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
