//! The keys of clients: registered with them, or fetched from where they publish them. Fetched ones
//! are kept for a while; an unknown name asks again, but not more often than the pause allows.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_jose::{JwkSet, KeyError, TokenError, json, jws};
use carnet_oauth::{client::Client, confirmation};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
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
    keys: Keys,
    since: Instant,
}

/// A key set of a client, read.
#[derive(Debug)]
struct Keys {
    keys: JwkSet,
    /// The digests of its certificates (`x5t#S256`).
    certificates: Vec<String>,
}

/// What a key set says to a question: yes, no, or that it does not know of what was asked.
type Said = Option<bool>;

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
        let signed = |keys: &Keys| match jws::verify(text, &keys.keys) {
            Err(TokenError::NoKey) => None,
            outcome => Some(outcome.is_ok()),
        };
        self.ask_keys(client, signed).await
    }

    /// Whether one of the client's keys has this certificate, by its digest.
    pub(super) async fn has_certificate(&self, client: &Client, thumbprint: &str) -> bool {
        let has = |keys: &Keys| {
            let mut known = keys.certificates.iter();
            known.any(|known| known == thumbprint).then_some(true)
        };
        self.ask_keys(client, has).await
    }

    /// Asks the client's keys. Those that it publishes are fetched again where they do not know.
    async fn ask_keys(&self, client: &Client, question: impl Fn(&Keys) -> Said) -> bool {
        if client.jwks_uri.is_empty() || !client.jwks.is_empty() {
            let keys = serde_json::to_vec(&client.jwks).unwrap_or_default();
            return Keys::read(&keys).is_ok_and(|keys| question(&keys) == Some(true));
        }
        let uri = client.jwks_uri.as_str();
        let document = self
            .documents
            .get_or_insert_with(uri, || Ok::<_, ()>(Arc::default()));
        let Ok(document) = document else {
            return false;
        };
        let fresh = document.younger_than(FRESH);
        if let Some(said) = fresh.and_then(|kept| question(&kept.keys)) {
            return said;
        }
        self.ask(&document, uri).await;
        let kept = document.younger_than(STALE);
        kept.is_some_and(|kept| question(&kept.keys) == Some(true))
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
        match Keys::read(&text) {
            Ok(keys) => document.kept.store(Some(Arc::new(Kept {
                keys,
                since: Instant::now(),
            }))),
            Err(error) => tracing::warn!(error = %error, "the keys of a client cannot be read"),
        }
    }
}

impl Keys {
    fn read(text: &[u8]) -> Result<Self, KeyError> {
        let keys = JwkSet::from_json(text)?;
        let set = json::parse_object(text).unwrap_or_default();
        let members = set.get("keys").and_then(Value::as_array).into_iter();
        let members = members.flatten().filter_map(Value::as_object);
        Ok(Self {
            keys,
            certificates: members.filter_map(certificate_of).collect(),
        })
    }
}

/// The digest of a key's own certificate (RFC 7517, sections 4.7 and 4.9).
fn certificate_of(key: &Map<String, Value>) -> Option<String> {
    let Some(chain) = key.get("x5c") else {
        return key.get("x5t#S256")?.as_str().map(str::to_owned);
    };
    let own = chain.as_array()?.first()?.as_str()?;
    let der = STANDARD.decode(own).ok()?;
    Some(confirmation::of_certificate(&der))
}

impl Document {
    fn younger_than(&self, age: Duration) -> Option<Arc<Kept>> {
        self.kept
            .load_full()
            .filter(|kept| kept.since.elapsed() < age)
    }
}
