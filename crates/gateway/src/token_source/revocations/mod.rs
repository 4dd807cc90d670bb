//! Tokens that do not count before their end, as their authorization server tells it. Knows the
//! events of `GET /admin/revocations` and which tokens each means; refuses to know what is kept.
//! `follow.rs` reads the stream, `events.rs` its lines.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Token;

mod events;
mod follow;

pub(crate) use follow::Feed;
pub(super) use follow::Follower;

/// Revocations remembered. A server has fewer: it revokes a busy client as a whole.
const MOST: usize = 100_000;

/// An event: tokens by this `jti`, of this client or signed by this key that were issued until
/// `not_before` do not count; after `exp` none of them could. Seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revocation {
    what: What,
    not_before: i64,
    exp: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Token(String),
    Client(String),
    Key(String),
}

/// What was told so far, for tokens that are still on their way.
#[derive(Default)]
pub(super) struct Revoked(Mutex<BTreeMap<What, Revocation>>);

impl Revocation {
    /// Reads the data of an event; `None` when it is none that is known.
    pub(super) fn read(data: &str) -> Option<Self> {
        let event: Value = serde_json::from_str(data).ok()?;
        let text = |name: &str| Some(event.get(name)?.as_str()?.to_owned());
        let what = text("jti").map(What::Token);
        let what = what.or_else(|| text("client_id").map(What::Client));
        let what = what.or_else(|| text("kid").map(What::Key))?;
        Some(Self {
            what,
            not_before: event.get("not_before")?.as_i64()?,
            exp: event.get("exp")?.as_i64()?,
        })
    }

    /// Whether it means a token that was given to this client.
    pub(super) fn covers(&self, token: &Token, client_id: &str) -> bool {
        let is_meant = match &self.what {
            What::Token(jti) => token.claim("jti") == Some(jti),
            What::Client(id) => token.claim("client_id").unwrap_or(client_id) == id,
            What::Key(kid) => token.kid() == Some(kid),
        };
        is_meant && token.issued_at() <= self.not_before
    }
}

impl Revoked {
    /// Remembers an event for as long as it can mean a token. `now`: seconds since 1970.
    pub(super) fn add(&self, revocation: &Revocation, now: i64) {
        let mut revoked = self.locked();
        if revoked.len() >= MOST {
            revoked.retain(|_, revocation| revocation.exp >= now);
        }
        let held = revoked.get(&revocation.what);
        if held.is_some_and(|held| held.not_before >= revocation.not_before) {
            return;
        }
        if revoked.len() < MOST {
            revoked.insert(revocation.what.clone(), revocation.clone());
        }
    }

    /// Whether a token does not count.
    pub(super) fn covers(&self, token: &Token, client_id: &str) -> bool {
        let revoked = self.locked();
        if revoked.is_empty() {
            return false;
        }
        let own = |what: What| revoked.get(&what);
        let client = token.claim("client_id").unwrap_or(client_id).to_owned();
        let found = [
            token.claim("jti").map(|jti| What::Token(jti.to_owned())),
            Some(What::Client(client)),
            token.kid().map(|kid| What::Key(kid.to_owned())),
        ];
        found
            .into_iter()
            .flatten()
            .filter_map(own)
            .any(|revocation| revocation.covers(token, client_id))
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<What, Revocation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
