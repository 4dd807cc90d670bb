//! Redis as a store. Nobody waits for it: what it does not do at once it does not do, and while it
//! cannot be reached it is not asked. Knows commands and their errors; `connect` knows how a server
//! is reached, `link` keeps the connection to it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::middleware::oauth_client_credentials::Redis as Options;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, cmd};
use tokio::time::timeout;

mod connect;
mod link;

use super::{Store, StoreFigures, Stored, Trouble};
use crate::supplies::Resolve;
use connect::Connector;
use link::{Keeper, Link};

/// The longest that anybody waits for a command is so long, so often. Each part needs a turn of our
/// own scheduler, so that a crowd of requests here does not look like a server that hangs there.
const PART: Duration = Duration::from_millis(10);
const PARTS: usize = 5;

/// Redis has no comparison of its own for these two.
const PROLONG: &str = "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end return 0";
const GIVE_BACK: &str =
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0";

/// A Redis server, the one that sentinels name, or a cluster.
pub(crate) struct Redis {
    link: Arc<Link>,
    _keeper: Option<Keeper>,
}

impl Redis {
    /// Begins to connect, inside of a runtime. The error is one sentence.
    pub(super) fn new(options: &Options, resolve: Resolve) -> Result<Self, String> {
        let connector = Connector::new(options, resolve)?;
        let link = Arc::new(Link::new(connector.name()));
        Ok(Self {
            _keeper: Keeper::start(connector, &link),
            link,
        })
    }

    pub(super) fn figures(&self) -> StoreFigures {
        self.link.figures()
    }

    /// What a command answers, in time. A connection that broke is made anew once.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Trouble> {
        self.link.counts.commands.one();
        let mut answer = pin!(self.try_twice(command));
        for _ in 0..PARTS {
            if let Ok(result) = timeout(PART, &mut answer).await {
                return result;
            }
        }
        self.link.hangs();
        Err(Trouble)
    }

    async fn try_twice<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Trouble> {
        for is_last in [false, true] {
            let Some(mut live) = self.link.live().await else {
                self.link.counts.failures.one();
                return Err(Trouble);
            };
            match live.query(command).await {
                Ok(answer) => {
                    self.link.works();
                    return Ok(answer);
                }
                Err(error) => {
                    let is_gone = is_gone(&error);
                    self.link.fails(&live, &error, is_gone);
                    if is_last || !is_gone {
                        break;
                    }
                }
            }
        }
        Err(Trouble)
    }
}

/// Whether another connection may do better: this one broke, or leads to a server that is not the
/// one that writes any more.
fn is_gone(error: &RedisError) -> bool {
    let is_demoted = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    is_demoted || error.is_io_error() || error.is_unrecoverable_error()
}

/// Redis counts in milliseconds.
fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl Store for Redis {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Trouble>> {
        async move {
            let value: Option<Vec<u8>> = self.ask(cmd("GET").arg(name)).await?;
            let Some(value) = value else {
                return Ok(None);
            };
            // Less than nothing: it ended meanwhile, or has no end and is none of ours.
            let left: i64 = self.ask(cmd("PTTL").arg(name)).await?;
            let left = u64::try_from(left).ok().map(Duration::from_millis);
            Ok(left.map(|left| Stored { value, left }))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        value: Vec<u8>,
        life: Duration,
    ) -> BoxFuture<'a, Result<(), Trouble>> {
        async move {
            let mut set = cmd("SET");
            set.arg(name).arg(value).arg("PX").arg(millis(life));
            self.ask(&set).await
        }
        .boxed()
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Trouble>> {
        async move { self.ask(cmd("DEL").arg(name)).await }.boxed()
    }

    fn take<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        async move {
            let mut set = cmd("SET");
            set.arg(name)
                .arg(holder)
                .arg("NX")
                .arg("PX")
                .arg(millis(life));
            let done: Option<String> = self.ask(&set).await?;
            Ok(done.is_some())
        }
        .boxed()
    }

    fn prolong<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        async move {
            let mut eval = cmd("EVAL");
            eval.arg(PROLONG)
                .arg(1)
                .arg(name)
                .arg(holder)
                .arg(millis(life));
            self.ask(&eval).await
        }
        .boxed()
    }

    fn give_back<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Trouble>> {
        async move {
            let mut eval = cmd("EVAL");
            eval.arg(GIVE_BACK).arg(1).arg(name).arg(holder);
            let _: bool = self.ask(&eval).await?;
            Ok(())
        }
        .boxed()
    }
}
