//! The keys of clients: registered with them, or fetched from where they publish them. Fetched ones
//! are kept for a while; an unknown name asks again, but not more often than the pause allows.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use carnet_jose::{JwkSet, TokenError, jws};
use carnet_oauth::client::Client;
use quick_cache::sync::Cache;
use tokio::{sync::Mutex, time::Instant};

use crate::fetch::Fetcher;

/// So many documents are kept.
const DOCUMENTS: usize = 1000;

/// A document has so long to arrive.
const PATIENCE: Duration = Duration::from_secs(3);

/// Older keys are fetched again when they are needed.
const FRESH: Duration = Duration::from_secs(300);

/// Where the fetch fails, keys of this age still count.
const STALE: Duration = Duration::from_secs(3600);

/// One address is asked no more often.
const PAUSE: Duration = Duration::from_secs(30);

/// Finds the keys of clients.
#[derive(Debug)]
pub(in crate::domain) struct ClientKeys {
    documents: Cache<String, Arc<Document>>,
    fetcher: Fetcher,
}

/// What is known of one address.
#[derive(Debug, Default)]
struct Document {
    kept: ArcSwapOption<Kept>,
    /// When it was last asked. Held while it is asked, so that many who wait ask once.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Kept {
    keys: JwkSet,
    since: Instant,
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self {
            documents: Cache::new(DOCUMENTS),
            fetcher: Fetcher::new(PATIENCE, 0),
        }
    }
}

impl ClientKeys {
    /// Whether one of the client's keys signed the text.
    pub(super) async fn verify(&self, client: &Client, text: &str) -> bool {
        if client.jwks_uri.is_empty() || !client.jwks.is_empty() {
            let keys = serde_json::to_vec(&client.jwks).unwrap_or_default();
            return JwkSet::from_json(&keys).is_ok_and(|keys| jws::verify(text, &keys).is_ok());
        }
        let uri = client.jwks_uri.as_str();
        let document = self
            .documents
            .get_or_insert_with(uri, || Ok::<_, ()>(Arc::default()));
        let Ok(document) = document else {
            return false;
        };
        if let Some(kept) = document.younger_than(FRESH) {
            match jws::verify(text, &kept.keys) {
                Err(TokenError::NoKey) => {}
                outcome => return outcome.is_ok(),
            }
        }
        self.ask(&document, uri).await;
        let kept = document.younger_than(STALE);
        kept.is_some_and(|kept| jws::verify(text, &kept.keys).is_ok())
    }

    /// Fetches a document, unless that was tried a moment ago.
    async fn ask(&self, document: &Document, uri: &str) {
        let mut asked = document.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        let text = match self.fetcher.fetch(uri).await {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(error = %error, "the keys of a client could not be fetched");
                return;
            }
        };
        match JwkSet::from_json(&text) {
            Ok(keys) => document.kept.store(Some(Arc::new(Kept {
                keys,
                since: Instant::now(),
            }))),
            Err(error) => tracing::warn!(error = %error, "the keys of a client cannot be read"),
        }
    }
}

impl Document {
    fn younger_than(&self, age: Duration) -> Option<Arc<Kept>> {
        self.kept
            .load_full()
            .filter(|kept| kept.since.elapsed() < age)
    }
}
