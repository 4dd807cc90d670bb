//! The store between a source's memory and its provider.

use std::sync::Arc;

use tokio::time::timeout_at;

use super::{Judge, Lease, Place, Shared, Turn};
use crate::token_source::key::Key;
use crate::token_source::{Asker, Engine, Outcome, Token, TokenFault};

impl Engine {
    /// A token from the store, or else from the provider; and, where the provider was asked, what
    /// the store is to be told afterwards.
    pub(in super::super) async fn bring(
        &self,
        key: Key,
        asker: &Asker,
        ahead: bool,
    ) -> (Outcome, Option<Debt<'_>>) {
        let deadline = self.exchange.deadline();
        let Some((shared, place)) = self.place(asker) else {
            return (self.ask(asker, deadline).await, None);
        };
        let before = self.before(key, ahead);
        let judge = Judge {
            exchange: &self.exchange,
            revoked: &self.revoked,
            client_id: asker.client_id(),
            before: before.as_deref(),
        };
        let turn = shared.turn(&place, deadline, &judge);
        let lease = match timeout_at(deadline, turn).await {
            Ok(Turn::Found(token)) => {
                self.provider.counters.from_store.one();
                return (Ok(Arc::new(self.exchange.lighter(token))), None);
            }
            Ok(Turn::Own(lease)) => lease,
            Ok(Turn::Late) | Err(_) => return (Err(TokenFault::TimedOut), None),
        };
        let outcome = match &lease {
            Some(lease) => lease.during(self.ask(asker, deadline)).await,
            None => self.ask(asker, deadline).await,
        };
        let debt = Debt {
            shared,
            place,
            lease,
        };
        (outcome, Some(debt))
    }

    /// Tells the store how an exchange ended.
    pub(in super::super) async fn settle(&self, debt: Debt<'_>, outcome: &Outcome) {
        let Debt {
            shared,
            place,
            lease,
        } = debt;
        let exchange = &self.exchange;
        shared
            .tell(&place, outcome, (exchange.now(), exchange.random()))
            .await;
        if let Some(lease) = lease {
            lease.give_back().await;
        }
    }

    fn place(&self, asker: &Asker) -> Option<(&Shared, Place)> {
        let shared = self.shared.as_ref()?;
        let place = shared.place(&self.exchange.options, asker)?;
        Some((shared, place))
    }

    /// The token that another is wanted for: the one to be renewed, or one that a backend did not
    /// take.
    fn before(&self, key: Key, ahead: bool) -> Option<Arc<Token>> {
        let kept = self.kept.look(&key).filter(|_| ahead);
        let kept = kept.map(|entry| Arc::clone(&entry.token));
        kept.or_else(|| self.rejected.get(&key))
    }
}

/// What the store is to be told, and the lease that is to be given back.
pub(in super::super) struct Debt<'a> {
    shared: &'a Shared,
    place: Place,
    lease: Option<Lease>,
}
