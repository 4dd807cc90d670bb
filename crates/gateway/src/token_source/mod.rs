//! Where Bearer tokens come from: credentials in, a token out, asked for once and kept while fresh.
//!
//! Knows the grants of OAuth that machines use and nothing of requests, routes or configuration files.
//! [`TokenSource`] is the way in; `asker` says who asks, `grant` what with, `kept` remembers, `flights`
//! shares, `refresh` renews, `exchange` asks, `provider` is what all sources know of one server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use carnet_config::claims::Expression;
use carnet_config::routing::middleware::OAuthClientCredentials;
use carnet_config::routing::middleware::o_auth_token_exchange::Method as Exchanged;
use carnet_config::routing::middleware::oauth_client_credentials::{Parameters, Refresh};
use carnet_oauth::client_auth::Method;
use quick_cache::sync::Cache;
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

use crate::supplies::Supplies;

mod alarms;
mod asker;
mod backoff;
mod endpoint;
mod exchange;
mod fault;
mod flights;
mod grant;
mod kept;
mod key;
mod methods;
mod proof;
mod provider;
mod refresh;
mod revocations;
mod setbacks;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod verify;
mod view;

pub(crate) use asker::Caller;
pub(crate) use endpoint::{Call, CallFailure, HttpEndpoint, TokenEndpoint};
pub(crate) use fault::TokenFault;
pub(crate) use grant::Grant;
pub(crate) use proof::Proof;
pub use provider::ProviderFigures;
pub(crate) use provider::{Breaker, Providers};
pub(crate) use revocations::Feed;
pub(crate) use store::StoreFigures;
use store::Stores;
pub(crate) use store::{Redis, Seal, Shared, Store, Trouble, proof_parts};
pub(crate) use token::{Token, seconds};
pub(crate) use verify::Verifier;
pub use view::CachedToken;

use alarms::Alarms;
use asker::{Asker, Readings};
use exchange::Exchange;
use flights::{Boarding, Flights, Takeoff};
use kept::{Entry, Kept};
use key::{Hasher, Key};
use methods::Methods;
use provider::Provider;
use revocations::{Follower, Revocation, Revoked};
use setbacks::Setbacks;
use token::Asked;

/// What an exchange ends with, for everybody who waited for it.
type Outcome = Result<Arc<Token>, TokenFault>;

/// What is asked for, where and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    grant: Grant,
    url: Url,
    audience: Option<String>,
    scopes: Vec<String>,
    resources: Vec<String>,
    parameters: Parameters,
    /// The method to try first.
    first_method: Method,
    /// Bounds the whole exchange.
    timeout: Duration,
    max_retries: u32,
    is_cached: bool,
    /// Greatest age of a kept token.
    max_age: Duration,
    /// When a kept token is fetched anew.
    refresh: Refresh,
    /// Names of the claims that somebody will look at. No token is kept with others.
    claims: BTreeSet<String>,
}

impl Options {
    /// The part of a middleware's options that decides about tokens. The gateway's own clients
    /// have the default method of most servers, Basic; clients that show themselves to the
    /// gateway are first tried with the other one, as the tutorial registers them.
    pub(crate) fn of(middleware: &OAuthClientCredentials, grant: Grant) -> Self {
        Self {
            url: middleware.url.clone(),
            audience: Some(middleware.audience.clone()).filter(|audience| !audience.is_empty()),
            scopes: middleware.scopes.clone(),
            resources: middleware.resources.clone(),
            parameters: middleware.parameters.clone(),
            first_method: match (&middleware.credentials, &grant) {
                // So Entra ID registers its clients, too.
                (None, _) | (_, Grant::Exchange(Exchanged::EntraId)) => Method::Post,
                (Some(_), _) => Method::Basic,
            },
            grant,
            timeout: middleware.client_config.timeout,
            max_retries: middleware.client_config.max_retries,
            is_cached: middleware.cache.enabled,
            max_age: middleware.cache.max_age,
            refresh: middleware.cache.refresh,
            claims: claims(middleware),
        }
    }
}

/// Tokens that a backend did not take, remembered; the coldest are forgotten beyond it.
const REJECTED: usize = 1024;

/// Names of the claims, at the root of a token, that these options look at.
fn claims(middleware: &OAuthClientCredentials) -> BTreeSet<String> {
    let condition = middleware.claims.iter().flat_map(Expression::paths);
    let forwarded = middleware.forward_headers.values();
    let paths = condition.chain(forwarded).chain(&middleware.username_claim);
    paths.filter_map(|path| path.0.first().cloned()).collect()
}

/// A token that a backend does not take is dropped once it is so old.
const REJECTED_AGE: Duration = Duration::from_secs(5);

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From memory.
    Memory,
    /// From memory, fetched ahead of its predecessor's end and now given out for the first time.
    MemoryRenewed,
    /// From the store, where another gateway left it.
    Store,
    /// From the provider, for this request or for another that waited for it too.
    Provider,
}

/// A token that may be used now.
pub(crate) struct Given {
    pub(crate) token: Arc<Token>,
    pub(crate) origin: Origin,
}

/// An authorization server, as a source reaches it.
pub(crate) struct Server {
    pub(crate) endpoint: Arc<dyn TokenEndpoint>,
    /// What clients show it.
    pub(crate) proof: Proof,
    /// Tells what it revoked; `None`: nobody does.
    pub(crate) feed: Option<Feed>,
    /// Judges its tokens; `None`: they are believed.
    pub(crate) verifier: Option<Verifier>,
    /// What other gateways know of its tokens; `None`: there are none.
    pub(crate) shared: Option<Shared>,
}

/// A source of tokens. Its options never change; its tokens outlive the configuration that made it
/// for as long as the options stay the same. Whatever it does by itself ends when it is dropped.
pub(crate) struct TokenSource {
    engine: Arc<Engine>,
    _follower: Option<Follower>,
}

/// What a source consists of.
struct Engine {
    exchange: Exchange,
    provider: Arc<Provider>,
    providers: Arc<Providers>,
    kept: Kept,
    alarms: Alarms,
    setbacks: Setbacks,
    flights: Arc<Flights>,
    revoked: Revoked,
    shared: Option<Shared>,
    /// Tokens that a backend did not take: a store may still have them.
    rejected: Cache<Key, Arc<Token>>,
}

impl TokenSource {
    /// A source with nothing kept yet.
    pub(crate) fn new(options: Options, server: Server, supplies: &Supplies) -> Self {
        let Server {
            endpoint,
            proof,
            feed,
            verifier,
            shared,
        } = server;
        let provider = supplies.providers.of(&options.url);
        let is_cached = options.is_cached;
        let hasher = Hasher::new(supplies.random.as_ref());
        let engine = Arc::new(Engine {
            exchange: Exchange {
                token_hasher: hasher.tokens(&options),
                hasher,
                methods: Methods::new(options.first_method),
                verifier,
                proof,
                options,
                provider: Arc::clone(&provider),
                endpoint,
                clock: Arc::clone(&supplies.clock),
                random: Arc::clone(&supplies.random),
                tracer: supplies.tracer.clone(),
            },
            provider,
            providers: Arc::clone(&supplies.providers),
            kept: Kept::new(),
            alarms: Alarms::new(),
            setbacks: Setbacks::new(),
            flights: Flights::new(),
            revoked: Revoked::default(),
            shared: shared.filter(|_| is_cached),
            rejected: Cache::new(REJECTED),
        });
        supplies.providers.remember(&engine);
        Self {
            _follower: feed.and_then(|feed| Follower::start(feed, &engine)),
            engine,
        }
    }

    /// Who shows these credentials, given in every way they can be read, the likeliest first.
    /// `None` without any.
    pub(crate) fn caller(&self, readings: impl Into<Arc<Readings>>) -> Option<Caller> {
        self.of(Asker {
            readings: readings.into(),
            subject: None,
        })
    }

    /// The same for whoever showed this token, in the place of which another one is wanted.
    pub(crate) fn caller_with(
        &self,
        readings: impl Into<Arc<Readings>>,
        subject: SecretString,
    ) -> Option<Caller> {
        self.of(Asker {
            readings: readings.into(),
            subject: Some(Arc::new(subject)),
        })
    }

    fn of(&self, asker: Asker) -> Option<Caller> {
        let key = self.engine.exchange.token_hasher.key(&asker)?;
        Some(Caller { key, asker })
    }

    /// Drops a token that a backend did not take, so that the next one is fetched anew; tells
    /// whether it did. A token that is hardly older than the request stays: whoever makes a backend
    /// say no again and again does not make the gateway ask as often.
    pub(crate) fn reject(&self, caller: &Caller, token: &Arc<Token>) -> bool {
        let age = Instant::now().saturating_duration_since(token.asked_at());
        let is_dropped = age >= REJECTED_AGE && self.engine.kept.remove_this(&caller.key, token);
        if is_dropped {
            self.engine.provider.counters.purged.one();
            if self.engine.shared.is_some() {
                let token = Arc::clone(token);
                self.engine.rejected.insert(caller.key, token);
            }
        }
        is_dropped
    }

    /// A token from memory, which is counted if there is one.
    pub(crate) fn at_hand(&self, caller: &Caller) -> Option<Given> {
        let engine = &self.engine;
        let given = engine.from_memory(caller, engine.exchange.now())?;
        engine.provider.counters.requests.one();
        engine.provider.counters.hits.one();
        Some(given)
    }

    /// A token for a caller.
    pub(crate) async fn token(&self, caller: &Caller) -> Result<Given, TokenFault> {
        let engine = &self.engine;
        if let Some(given) = self.at_hand(caller) {
            return Ok(given);
        }
        let counters = &engine.provider.counters;
        counters.requests.one();
        let now = engine.exchange.now();
        if let Some(fault) = engine.setbacks.standing(&caller.key, now.at) {
            counters.refused_from_memory.one();
            return Err(fault);
        }
        let fetched = engine.fetch(caller, now).await;
        if matches!(fetched, Err(TokenFault::Busy)) {
            counters.turned_away.one();
        }
        let token = fetched?;
        if token.is_over(engine.exchange.now()) {
            let cause = "the token came after its end";
            return Err(TokenFault::unavailable(cause, None));
        }
        if engine.revoked.covers(&token, caller.client_id()) {
            return Err(TokenFault::unavailable("the token came revoked", None));
        }
        let origin = match token.is_shared {
            true => Origin::Store,
            false => Origin::Provider,
        };
        Ok(Given { token, origin })
    }
}

impl Engine {
    fn from_memory(self: &Arc<Self>, caller: &Caller, now: Asked) -> Option<Given> {
        let found = self.kept.find(&caller.key, now)?;
        if found.is_due {
            self.renew(caller.key, caller.asker.clone());
        }
        let origin = match found.is_news {
            true => Origin::MemoryRenewed,
            false => Origin::Memory,
        };
        Some(Given {
            token: found.token,
            origin,
        })
    }

    /// The outcome of the flight in the air, or of a new one.
    async fn fetch(self: &Arc<Self>, caller: &Caller, now: Asked) -> Outcome {
        let Some(_seat) = self.providers.seat() else {
            return Err(TokenFault::Busy);
        };
        let _waiting = Waiting::new(&self.provider);
        if !self.exchange.options.is_cached {
            return self.alone(caller).await;
        }
        let landed = || {
            self.kept
                .find(&caller.key, now)
                .map(|found| Ok(found.token))
        };
        let flight = match self.flights.board(caller.key, landed)? {
            Boarding::Landed(outcome) => return outcome,
            Boarding::Joined(flight) => {
                self.provider.counters.joined.one();
                flight
            }
            Boarding::Own(takeoff) => {
                let flight = takeoff.flight();
                self.fly(takeoff, caller.key, caller.asker.clone(), false);
                flight
            }
        };
        flight.outcome().await
    }

    /// An exchange that nobody joins: it ends with the one who wants it.
    async fn alone(&self, caller: &Caller) -> Outcome {
        let _place = self.flights.place()?;
        let outcome = self.ask(&caller.asker, self.exchange.deadline()).await;
        if let Err(fault @ TokenFault::Unavailable { .. }) = &outcome {
            self.setbacks
                .note(caller.key, fault, self.exchange.now().at);
        }
        outcome
    }

    /// An exchange in a task of its own; `ahead`: of the end of the token that is kept.
    fn fly(self: &Arc<Self>, takeoff: Takeoff, key: Key, asker: Asker, ahead: bool) {
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let (outcome, debt) = engine.bring(key, &asker, ahead).await;
            engine.take_in(key, &asker, &outcome, ahead);
            takeoff.land(outcome.clone());
            if let Some(debt) = debt {
                engine.settle(debt, &outcome).await;
            }
        });
    }

    /// An exchange.
    async fn ask(&self, asker: &Asker, deadline: Instant) -> Outcome {
        let outcome = self.exchange.run(asker, deadline).await;
        self.count(&outcome);
        outcome
    }

    /// Keeps what an exchange brought, or learns from its failure.
    fn take_in(self: &Arc<Self>, key: Key, asker: &Asker, outcome: &Outcome, ahead: bool) {
        let now = self.exchange.now();
        match outcome {
            Ok(token) => {
                self.setbacks.clear(&key);
                let client_id = asker.client_id();
                if token.is_fresh(now) && !self.revoked.covers(token, client_id) {
                    self.kept.keep(key, Arc::clone(token), client_id, ahead);
                    self.plan(key, asker);
                } else {
                    self.kept.remove(&key);
                }
            }
            Err(fault) => {
                self.setbacks.note(key, fault, now.at);
                if fault.is_refusal() {
                    self.kept.remove(&key);
                } else {
                    self.plan_again(key, asker, fault);
                }
            }
        }
    }

    /// Drops the tokens that a revocation means, and remembers it for those on their way.
    fn revoke(&self, revocation: &Revocation) {
        let now = token::seconds(self.exchange.now().time);
        self.revoked.add(revocation, now);
        let stays = |entry: &Entry| !revocation.covers(&entry.token, &entry.client_id);
        self.provider.counters.purged.add(self.kept.retain(stays));
    }

    fn count(&self, outcome: &Outcome) {
        let counters = &self.provider.counters;
        match outcome {
            Ok(_) => counters.granted.one(),
            Err(fault) if fault.is_refusal() => counters.refused.one(),
            Err(_) => counters.failed.one(),
        }
    }
}

/// A request that waits, for as long as it does.
struct Waiting<'a>(&'a Provider);

impl<'a> Waiting<'a> {
    fn new(provider: &'a Provider) -> Self {
        provider.counters.waiting.one();
        Self(provider)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.counters.waiting.one_less();
    }
}
