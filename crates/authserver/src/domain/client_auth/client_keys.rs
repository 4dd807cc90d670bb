//! The keys of clients: registered with them, or fetched from where they publish them.

use std::{sync::Arc, time::Duration};

use carnet_jose::{JwkSet, jws};
use carnet_oauth::client::Client;
use quick_cache::sync::Cache;

use crate::{
    domain::client_auth::published::{self, PublishedKeys},
    fetch::Fetcher,
};

/// So many documents are kept.
const DOCUMENTS: usize = 1000;

/// A document has so long to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Finds the keys of clients.
#[derive(Debug)]
pub(in crate::domain) struct ClientKeys {
    documents: Cache<String, Arc<PublishedKeys>>,
    fetcher: Fetcher,
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
        let fetched = async { published::read(&self.fetcher.fetch(uri).await?) };
        document.verify(text, fetched).await
    }
}
