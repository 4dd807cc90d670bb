//! How many tokens each client gets: a rate and a quota, from the configuration or its own
//! registration. They only count until they are told to enforce.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use carnet_oauth::client::{Client, TokenLimits};
use quick_cache::sync::Cache;

use crate::domain::{
    TokenError,
    counters::{Counters, Limit},
    limits::bucket::Bucket,
};

/// The allowances of so many clients are remembered; one that is forgotten begins afresh.
const CLIENTS: usize = 100_000;

/// The period of a quota that names none.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The limits of all clients.
#[derive(Debug)]
pub(in crate::domain) struct TokenLimiter {
    defaults: TokenLimits,
    clients: Cache<String, Arc<Allowance>>,
}

/// What is left for one client.
#[derive(Debug)]
struct Allowance {
    limits: TokenLimits,
    rate: Option<Bucket>,
    quota: Option<Bucket>,
    /// Whether the log knows that the client asked for too much.
    is_told: AtomicBool,
}

impl TokenLimiter {
    pub(in crate::domain) fn new(defaults: TokenLimits) -> Self {
        Self {
            defaults,
            clients: Cache::new(CLIENTS),
        }
    }

    /// Counts a token of a client.
    ///
    /// # Errors
    /// When the client has had enough and its limits are enforced: then nothing was counted.
    pub(in crate::domain) fn take(
        &self,
        client: &Client,
        counters: &Counters,
    ) -> Result<(), TokenError> {
        let limits = client.token_limits.or(&self.defaults);
        if limits.rate.unwrap_or(0) == 0 && limits.quota.unwrap_or(0) == 0 {
            return Ok(());
        }
        let id = client.client_id.as_str();
        let allowance = self.allowance(id, limits);
        let Some((limit, wait)) = allowance.overdrawn() else {
            return Ok(());
        };
        let is_enforced = allowance.limits.enforce.unwrap_or(false);
        counters.note_over_limit(id, limit, is_enforced);
        if !allowance.is_told.swap(true, Ordering::Relaxed) {
            let limit = limit.name();
            tracing::warn!(
                client.id = id,
                limit,
                is_enforced,
                "a client is over its limit"
            );
        }
        match is_enforced {
            true => Err(TokenError::Limited(wait)),
            false => Ok(()),
        }
    }

    fn allowance(&self, id: &str, limits: TokenLimits) -> Arc<Allowance> {
        // Limits that changed begin afresh.
        match self.clients.get(id).filter(|known| known.limits == limits) {
            Some(known) => known,
            None => {
                let fresh = Arc::new(Allowance::new(limits));
                self.clients.insert(id.to_owned(), Arc::clone(&fresh));
                fresh
            }
        }
    }
}

impl Allowance {
    fn new(limits: TokenLimits) -> Self {
        let rate = limits.rate.and_then(NonZeroU32::new).and_then(|rate| {
            let burst = limits.burst.and_then(NonZeroU32::new).unwrap_or(rate);
            let within = Duration::from_secs(1) * burst.get() / rate.get();
            Bucket::new(burst, within)
        });
        let period = limits.period.map_or(DAY, |period| {
            Duration::from_secs(period.as_seconds().unsigned_abs())
        });
        let quota = limits.quota.and_then(NonZeroU32::new);
        let quota = quota.and_then(|quota| Bucket::new(quota, period));
        Self {
            limits,
            rate,
            quota,
            is_told: AtomicBool::new(false),
        }
    }

    /// Takes a token; tells which limit was in the way, and for how long.
    fn overdrawn(&self) -> Option<(Limit, Duration)> {
        let one = NonZeroU32::MIN;
        // The rate first: what it refuses does not cost any of the quota.
        let limits = [(Limit::Rate, &self.rate), (Limit::Quota, &self.quota)];
        limits.into_iter().find_map(|(limit, bucket)| {
            let wait = bucket.as_ref()?.take(one).err()?;
            Some((limit, wait))
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn client(id: &str, limits: &str) -> Client {
        Client {
            client_id: id.to_owned(),
            token_limits: serde_json::from_str(limits).unwrap(),
            ..Client::default()
        }
    }

    fn given(limiter: &TokenLimiter, client: &Client, asked: usize) -> usize {
        let counters = Counters::default();
        (0..asked)
            .filter(|_| limiter.take(client, &counters).is_ok())
            .count()
    }

    #[tokio::test(start_paused = true)]
    async fn each_client_has_an_allowance_of_its_own() {
        let defaults = serde_json::from_str(r#"{"rate":2,"enforce":true}"#).unwrap();
        let limiter = TokenLimiter::new(defaults);
        let [a, b] = ["a", "b"].map(|id| client(id, "{}"));
        assert_eq!(given(&limiter, &a, 10), 2);
        assert_eq!(given(&limiter, &b, 10), 2);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(given(&limiter, &a, 10), 1);
        let free = client("free", r#"{"rate":0}"#);
        assert_eq!(given(&limiter, &free, 1000), 1000);
        let counted = client("counted", r#"{"rate":1,"enforce":false}"#);
        assert_eq!(given(&limiter, &counted, 10), 10);
        let large = client("large", r#"{"rate":1,"burst":7}"#);
        assert_eq!(given(&limiter, &large, 10), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_is_for_its_period() {
        let limiter = TokenLimiter::new(TokenLimits::default());
        let limits = r#"{"quota":5,"period":"1h","enforce":true}"#;
        let a = client("a", limits);
        assert_eq!(given(&limiter, &a, 10), 5);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(given(&limiter, &a, 10), 5);
        let daily = client("b", r#"{"quota":3,"enforce":true}"#);
        assert_eq!(given(&limiter, &daily, 10), 3);
        let Err(TokenError::Limited(wait)) = limiter.take(&daily, &Counters::default()) else {
            unreachable!()
        };
        assert_eq!(wait, Duration::from_secs(8 * 3600));
    }

    #[tokio::test(start_paused = true)]
    async fn limits_that_change_begin_afresh() {
        let limiter = TokenLimiter::new(TokenLimits::default());
        let enforced = |rate: u32| client("a", &format!(r#"{{"rate":{rate},"enforce":true}}"#));
        assert_eq!(given(&limiter, &enforced(1), 10), 1);
        assert_eq!(given(&limiter, &enforced(4), 10), 4);
        assert_eq!(given(&limiter, &enforced(4), 10), 0);
    }
}
