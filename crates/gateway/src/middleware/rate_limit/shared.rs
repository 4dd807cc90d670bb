//! Buckets in Redis, where all gateways take from the same.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_config::routing::middleware::rate_limit::Redis as Options;
use carnet_jose::base64url;
use redis::cmd;

use super::buckets::Rate;
use crate::supplies::Supplies;
use crate::token_source::{Redis, Trouble};

/// What [`Buckets::take`](super::buckets::Buckets::take) does, in one step and by the clock of the
/// server. Times are microseconds. Fields and their meaning are those that Traefik writes.
const TAKE: &str = "
local rate, burst, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = redis.call('HMGET', KEYS[1], 'last', 'tokens')
local last, tokens = tonumber(bucket[1]) or now, tonumber(bucket[2]) or burst
tokens = math.min(burst, tokens + math.max(0, now - last) * rate) - 1
local wait = math.max(0, -tokens / rate)
if wait > patience then tokens = tokens + 1 end
redis.call('HSET', KEYS[1], 'last', now, 'tokens', tokens)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return math.ceil(wait)";

/// A bucket that takes longer to fill is forgotten all the same.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// Buckets that other gateways use, too.
pub(super) struct Shared {
    redis: Arc<Redis>,
    /// Begins every name.
    prefix: String,
    rate: Rate,
}

impl Shared {
    /// The error is one sentence.
    pub(super) fn new(
        name: &str,
        rate: Rate,
        options: &Options,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let stores = &supplies.providers.stores;
        Ok(Self {
            redis: stores.redis(&options.server(), &supplies.resolve)?,
            prefix: format!("carnet:rate:{name}:"),
            rate,
        })
    }

    /// Takes a token of a source, and says how long it is until there is one, as buckets in memory.
    pub(super) async fn take(&self, source: &[u8]) -> Result<Duration, Trouble> {
        let Rate {
            tokens_a_second,
            burst,
            patience,
        } = self.rate;
        let life = self.rate.time_to_fill().min(LONGEST_LIFE);
        let mut take = cmd("EVAL");
        take.arg(TAKE)
            .arg(1)
            .arg(self.name(source))
            .arg(tokens_a_second / 1e6)
            .arg(burst)
            .arg(patience.as_secs_f64() * 1e6)
            .arg(u64::try_from(life.as_millis()).unwrap_or(u64::MAX) + 1000);
        self.redis.ask(&take).await.map(Duration::from_micros)
    }

    /// A digest: what clients send may be long, and may be a credential.
    fn name(&self, source: &[u8]) -> String {
        let digest = base64url::encode(digest(&SHA256, source));
        format!("{}{digest}", self.prefix)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
