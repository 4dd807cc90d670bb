//! What is kept, for people: who has a token of which provider and for how long, never the token.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::kept::Entry;
use super::token::Asked;

/// A token that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedToken {
    /// Origin of the token endpoint.
    pub provider: String,
    /// The client, as it calls itself.
    pub client_id: String,
    /// The audience that was asked for; empty: none.
    pub audience: String,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// Since it was asked for.
    pub age: Duration,
    /// For how long it may still be used.
    pub time_left: Duration,
    /// Since it was last given out.
    pub idle: Duration,
}

impl Engine {
    /// What is kept and fresh.
    pub(super) fn cached(&self) -> Vec<CachedToken> {
        let now = self.exchange.now();
        let entries = self.kept.all();
        let fresh = entries.iter().filter(|entry| entry.token.is_fresh(now));
        fresh.map(|entry| self.view(entry, now)).collect()
    }

    fn view(&self, entry: &Arc<Entry>, now: Asked) -> CachedToken {
        let options = &self.exchange.options;
        let since = |at| now.at.saturating_duration_since(at);
        CachedToken {
            provider: self.provider.origin().to_owned(),
            client_id: entry.client_id.to_string(),
            audience: options.audience.clone().unwrap_or_default(),
            scopes: options.scopes.clone(),
            age: since(entry.token.asked_at()),
            time_left: entry.token.time_left(now),
            idle: since(self.kept.last_used(entry)),
        }
    }
}
