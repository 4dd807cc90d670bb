//! Revocations of tokens before their end: kept in the store, judged in memory ([`set`]), told to
//! whoever follows ([`stream`]). Introspection never waits for the store.
//!
//! Single tokens are bounded in number. When there are too many, the client that has most of them has
//! all of its tokens revoked that were issued until then: nothing is forgotten, and nobody else pays.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod property;
mod set;
pub(crate) mod stream;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::{Mutex, watch};

use crate::{
    domain::{authority::within, revocations::set::RevokedSet},
    store::{NumberedRevocation, Result, Revocation, Revoked, Store},
};

pub(super) use set::{Judged, OfClient};

/// Before the first number.
const NONE: i64 = -1;

/// The revocations of the server.
#[derive(Debug)]
pub(super) struct Revocations {
    store: Arc<dyn Store>,
    set: RwLock<RevokedSet>,
    /// The number of the last one in the set.
    last: watch::Sender<i64>,
    following: Mutex<()>,
    adding: Mutex<()>,
    /// So many single tokens.
    limit: usize,
}

impl Revocations {
    /// Reads what the store has.
    pub(super) async fn open(store: Arc<dyn Store>, limit: usize, now: i64) -> Result<Self> {
        let revocations = Self {
            store,
            set: RwLock::default(),
            last: watch::Sender::new(NONE),
            following: Mutex::default(),
            adding: Mutex::default(),
            limit: limit.max(1),
        };
        revocations.follow().await?;
        revocations.forget(now);
        Ok(revocations)
    }

    /// Takes in what the store has more, whoever brought it.
    pub(super) async fn follow(&self) -> Result<()> {
        let _following = self.following.lock().await;
        let last = *self.last.borrow();
        let news = within(self.store.revocations_after(last)).await?;
        let Some(newest) = news.last().map(|numbered| numbered.seq) else {
            return Ok(());
        };
        {
            let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
            for numbered in news {
                set.apply(numbered);
            }
        }
        self.last.send_replace(newest);
        Ok(())
    }

    /// Adds a revocation. It counts here when this returns.
    pub(super) async fn add(&self, revocation: Revocation, now: i64) -> Result<()> {
        let _adding = self.adding.lock().await;
        let revocation = match &revocation.revoked {
            Revoked::Token { client_id, .. } => {
                let fallback = self.fallback(client_id, &revocation, now);
                match fallback {
                    Some(instead) if instead.revoked == Revoked::Client(client_id.clone()) => {
                        instead
                    }
                    Some(other) => {
                        within(self.store.revoke(&other)).await?;
                        revocation
                    }
                    None => revocation,
                }
            }
            _ => revocation,
        };
        within(self.store.revoke(&revocation)).await?;
        self.follow().await
    }

    /// Takes in what a change of the store revoked of a client.
    pub(super) async fn settle(&self, client_id: &str, now: i64) -> Result<()> {
        self.follow().await?;
        let revoked = Revoked::Client(client_id.to_owned());
        let none = Revocation {
            revoked,
            not_before: 0,
            expires_at: 0,
        };
        match self.fallback(client_id, &none, now) {
            Some(instead) => self.add(instead, now).await,
            None => Ok(()),
        }
    }

    /// What takes the place of single tokens when there is no place for one more.
    fn fallback(&self, client_id: &str, next: &Revocation, now: i64) -> Option<Revocation> {
        if self.read().tokens() < self.limit {
            return None;
        }
        self.forget(now);
        let set = self.read();
        if set.tokens() < self.limit {
            return None;
        }
        let fallback = set.of_busiest_client(client_id, next)?;
        tracing::warn!(
            limit = self.limit,
            revoked = ?fallback.revoked,
            "there are too many revoked tokens: all tokens of a client are revoked in their place"
        );
        Some(fallback)
    }

    /// Whether a token was revoked, by itself, with its client's, or with its key's.
    pub(super) fn is_revoked(&self, token: &Judged<'_>) -> bool {
        self.read().is_revoked(token)
    }

    /// The number of the last one that counts here.
    pub(super) fn last(&self) -> i64 {
        *self.last.borrow()
    }

    /// What was revoked of a client.
    pub(super) fn of_client(&self, client_id: &str) -> OfClient {
        self.read().of_client(client_id)
    }

    /// Forgets those of which no token can count any more.
    pub(super) fn forget(&self, now: i64) {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        set.forget(now);
    }

    /// At most so many whose number is greater, in the order of their numbers.
    fn after(&self, seq: i64, count: usize) -> Vec<NumberedRevocation> {
        self.read().after(seq, count)
    }

    fn read(&self) -> RwLockReadGuard<'_, RevokedSet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }
}
