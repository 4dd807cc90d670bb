//! The keys and certificates of clients: registered with them, or fetched from where they publish
//! them.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_jose::{JwkSet, TokenError, json, jws};
use carnet_oauth::{client::Client, confirmation};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::{
    domain::client_auth::published::{self, KeysError, PublishedKeys, Said},
    fetch::Fetcher,
};

/// So many documents are kept.
const DOCUMENTS: usize = 1000;

/// A document has so long to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Finds the keys of clients.
#[derive(Debug)]
pub(in crate::domain) struct ClientKeys {
    documents: Cache<String, Arc<PublishedKeys<Keys>>>,
    fetcher: Fetcher,
}

/// A key set of a client, read.
#[derive(Debug)]
struct Keys {
    keys: JwkSet,
    /// The digests of its certificates (`x5t#S256`).
    certificates: Vec<String>,
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
        let signed = |keys: &Keys| match jws::verify(text, &keys.keys) {
            Err(TokenError::NoKey) => None,
            outcome => Some(outcome.is_ok()),
        };
        self.ask(client, signed).await
    }

    /// Whether one of the client's keys has this certificate, by its digest.
    pub(super) async fn has_certificate(&self, client: &Client, thumbprint: &str) -> bool {
        let has = |keys: &Keys| {
            let mut known = keys.certificates.iter();
            known.any(|known| known == thumbprint).then_some(true)
        };
        self.ask(client, has).await
    }

    /// Asks the client's keys. Those that it publishes are fetched again where they do not know.
    async fn ask(&self, client: &Client, question: impl Fn(&Keys) -> Said) -> bool {
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
        let fetched = async { Keys::read(&self.fetcher.fetch(uri).await?) };
        document.say(question, fetched).await
    }
}

impl Keys {
    fn read(document: &[u8]) -> Result<Self, KeysError> {
        let keys = published::read(document)?;
        let set = json::parse_object(document).unwrap_or_default();
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
