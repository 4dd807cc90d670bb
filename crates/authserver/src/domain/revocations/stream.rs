//! Revocations as they happen: first those that count, then each new one.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    domain::{
        Authority,
        revocations::{NONE, Revocations},
    },
    store::{NumberedRevocation, Revoked},
};

/// So many are looked up at a time: who reads slowly holds no more in memory.
const CHUNK: usize = 256;

/// A revocation as it is told: tokens by this `jti`, of this client or signed by this key that were
/// issued until `not_before` do not count; after `exp` none of them could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// Its number; `after` this one follow the others.
    pub(crate) seq: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    not_before: i64,
    exp: i64,
}

impl From<NumberedRevocation> for Told {
    fn from(numbered: NumberedRevocation) -> Self {
        let NumberedRevocation { seq, revocation } = numbered;
        let (jti, client_id, kid) = match revocation.revoked {
            Revoked::Token { jti, .. } => (Some(jti), None, None),
            Revoked::Client(id) => (None, Some(id), None),
            Revoked::Key(kid) => (None, None, Some(kid)),
        };
        Self {
            seq,
            jti,
            client_id,
            kid,
            not_before: revocation.not_before,
            exp: revocation.expires_at,
        }
    }
}

/// Where a follower stands.
struct Follower {
    revocations: Arc<Revocations>,
    last: watch::Receiver<i64>,
    seen: i64,
    waiting: VecDeque<NumberedRevocation>,
}

impl Authority {
    /// The revocations after a number, and those to come. From the beginning when the number is
    /// none that was given out.
    pub(crate) fn revocations_after(
        &self,
        seq: Option<i64>,
    ) -> impl Stream<Item = Told> + Send + use<> {
        let last = self.revocations.last.subscribe();
        let newest = *last.borrow();
        let follower = Follower {
            revocations: Arc::clone(&self.revocations),
            last,
            seen: seq.filter(|seq| (0..=newest).contains(seq)).unwrap_or(NONE),
            waiting: VecDeque::new(),
        };
        stream::unfold(follower, Follower::next)
    }
}

impl Follower {
    async fn next(mut self) -> Option<(Told, Self)> {
        loop {
            if let Some(numbered) = self.waiting.pop_front() {
                return Some((Told::from(numbered), self));
            }
            // First seen, then looked up: what comes in between is looked up once more.
            self.last.borrow_and_update();
            self.waiting
                .extend(self.revocations.after(self.seen, CHUNK));
            if let Some(newest) = self.waiting.back() {
                self.seen = newest.seq;
            } else {
                self.last.changed().await.ok()?;
            }
        }
    }
}
