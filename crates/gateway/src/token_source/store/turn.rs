//! Whose turn it is to ask the provider: nobody's while the store has a token, and one gateway's at
//! a time otherwise.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Trouble;
use super::lease::Lease;
use super::shared::{Place, Shared};
use crate::token_source::backoff::share;
use crate::token_source::exchange::Exchange;
use crate::token_source::revocations::Revoked;
use crate::token_source::token::Token;

/// The first wait for another gateway.
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// How a token comes about.
pub(super) enum Turn {
    /// Another gateway got it.
    Found(Token),
    /// This gateway asks the provider, with the lease where the store gave one.
    Own(Option<Lease>),
    /// Another gateway asks, and there is no time left to wait for it.
    Late,
}

/// Says which tokens of the store may be used: it is not believed more than a provider.
pub(super) struct Judge<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) revoked: &'a Revoked,
    pub(super) client_id: &'a str,
    /// Only another that was asked for later will do.
    pub(super) before: Option<&'a Token>,
}

impl Judge<'_> {
    async fn takes(&self, token: &Token) -> bool {
        let now = self.exchange.now();
        token.is_fresh(now)
            && self.before.is_none_or(|before| is_later(token, before))
            && !self.revoked.covers(token, self.client_id)
            && self.exchange.verifies(token, now).await
    }
}

impl Shared {
    /// Waits until there is a token or until it is this gateway's turn, and not beyond the deadline.
    pub(super) async fn turn(&self, place: &Place, deadline: Instant, judge: &Judge<'_>) -> Turn {
        let mut wait = FIRST_WAIT;
        let mut lease = None;
        loop {
            match self.find(place, judge).await {
                Ok(Some(token)) => {
                    if let Some(lease) = lease {
                        Lease::give_back(lease).await;
                    }
                    return Turn::Found(token);
                }
                Ok(None) if lease.is_some() => return Turn::Own(lease),
                Ok(None) => {}
                Err(Trouble) => return Turn::Own(lease),
            }
            // With the lease, another look: its last holder left a token before it let go.
            lease = match self.lease(place, judge.exchange.random()).await {
                Ok(lease) => lease,
                Err(Trouble) => return Turn::Own(None),
            };
            if lease.is_some() {
                continue;
            }
            if Instant::now() + wait >= deadline {
                return Turn::Late;
            }
            sleep(wait.mul_f64(0.5 + share(judge.exchange.random()) / 2.0)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn find(&self, place: &Place, judge: &Judge<'_>) -> Result<Option<Token>, Trouble> {
        let exchange = judge.exchange;
        let found = self
            .look(place, exchange.now(), exchange.options.max_age)
            .await?;
        Ok(match found {
            Some(token) if judge.takes(&token).await => Some(token),
            _ => None,
        })
    }
}

/// Times alone do not tell: the same token seems younger or older by what an answer takes.
fn is_later(token: &Token, before: &Token) -> bool {
    token.text() != before.text() && token.asked_at() > before.asked_at()
}
