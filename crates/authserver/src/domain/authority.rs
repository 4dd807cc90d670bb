//! What the whole domain hangs on: the store, the keys, the clock, randomness and the settings.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use carnet_oauth::{Clock, Random, dpop::Nonces};
use tracing::Instrument as _;

use crate::{
    domain::{
        AdminError, Error,
        audit::{AuditLog, Entry},
        client_auth::{ClientKeys, Platforms},
        counters::Counters,
        hook::Hooks,
        keys::ring::{KeyRing, Means, NewKeys},
        limits::{guesses::GuessLimiter, tokens::TokenLimiter},
        revocations::Revocations,
        secret::{failure::FailureTimer, verifier::SecretVerifier},
        status_list::StatusLists,
        system_keys::SystemKeys,
        uuid,
    },
    fetch::Fetcher,
    options::Options,
    ports::SPANS,
    store::{Result as StoreResult, Store, StoreError},
};

/// A store that takes longer counts as out of reach: clients hear it within two seconds.
const STORE_PATIENCE: Duration = Duration::from_millis(1500);

/// A client that wants to hear of a logout has so long to listen.
const CALL_PATIENCE: Duration = Duration::from_secs(10);

/// The authorization server without its HTTP, as some options want it. Clones, and those with other
/// options, share everything else.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) options: Options,
    pub(super) store: Arc<dyn Store>,
    pub(super) ring: Arc<KeyRing>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) status_lists: Arc<StatusLists>,
    pub(super) system: Arc<SystemKeys>,
    /// Of proofs of possession.
    pub(super) nonces: Arc<Nonces>,
    /// Seals the login sessions of browsers.
    pub(super) cookies: Arc<SystemKeys>,
    pub(super) verifier: SecretVerifier,
    pub(super) failures: Arc<FailureTimer>,
    pub(super) client_keys: Arc<ClientKeys>,
    /// Whoever vouches for workloads.
    pub(super) platforms: Arc<Platforms>,
    pub(super) hooks: Arc<Hooks>,
    /// Calls clients that want to hear of logouts.
    pub(super) callers: Arc<Fetcher>,
    pub(super) token_limiter: Arc<TokenLimiter>,
    pub(super) guess_limiter: Arc<GuessLimiter>,
    pub(crate) counters: Arc<Counters>,
    pub(super) audit: Arc<AuditLog>,
    pub(super) random: Arc<dyn Random>,
    /// Whether the server was told to end.
    draining: Arc<AtomicBool>,
    /// Held while a client is read, changed and written.
    pub(super) client_writes: Arc<tokio::sync::Mutex<()>>,
    clock: Arc<dyn Clock>,
}

impl Authority {
    /// Opens the keys of the store; makes none.
    pub(crate) async fn new(
        options: Options,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let system = Arc::new(SystemKeys::new(&options.system_secrets, &*random));
        let cookies = match options.cookie_secrets.as_slice() {
            [] => Arc::clone(&system),
            secrets => Arc::new(SystemKeys::new(secrets, &*random)),
        };
        let means = Means {
            store: Arc::clone(&store),
            system: Arc::clone(&system),
            random: Arc::clone(&random),
            clock: Arc::clone(&clock),
        };
        let ring = KeyRing::open(means, NewKeys::of(&options)).await?;
        let (kept, limit) = (Arc::clone(&store), options.revocation_limit);
        let revocations = Revocations::open(kept, limit, seconds(&*clock)).await?;
        Ok(Self {
            ring: Arc::new(ring),
            revocations: Arc::new(revocations),
            status_lists: Arc::new(StatusLists::new(&*random)),
            verifier: SecretVerifier::new(Arc::clone(&system), Arc::clone(&random), &options),
            failures: Arc::new(FailureTimer::new(options.failed_authentication_after)),
            client_keys: Arc::default(),
            platforms: Arc::new(Platforms::new(
                &options.assertion_issuers,
                &Platforms::default(),
            )),
            hooks: Arc::new(Hooks::new(&options)),
            callers: Arc::new(Fetcher::new(CALL_PATIENCE, 0)),
            token_limiter: Arc::new(TokenLimiter::new(options.limits.tokens.clone())),
            guess_limiter: Arc::new(GuessLimiter::new(options.limits.guesses)),
            counters: Arc::default(),
            audit: Arc::new(AuditLog::open(options.audit_file.as_deref())?),
            nonces: Arc::new(Nonces::new(system.nonce_keys())),
            client_writes: Arc::default(),
            draining: Arc::default(),
            options,
            store,
            system,
            cookies,
            random,
            clock,
        })
    }

    /// The same server under other options. What was made of the old ones for good stays: keys, the
    /// secrets of the system and of cookies, and when failures are answered.
    pub(crate) fn with(&self, options: Options) -> Self {
        let (before, now) = (&self.options.limits, &options.limits);
        // Who was over a limit stays so, unless the limits change.
        let token_limiter = match before.tokens == now.tokens {
            true => Arc::clone(&self.token_limiter),
            false => Arc::new(TokenLimiter::new(now.tokens.clone())),
        };
        let guess_limiter = match before.guesses == now.guesses {
            true => Arc::clone(&self.guess_limiter),
            false => Arc::new(GuessLimiter::new(now.guesses)),
        };
        Self {
            verifier: self.verifier.with(&options),
            platforms: Arc::new(Platforms::new(&options.assertion_issuers, &self.platforms)),
            hooks: Arc::new(Hooks::new(&options)),
            token_limiter,
            guess_limiter,
            options,
            ..self.clone()
        }
    }

    /// The time of day, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        seconds(&*self.clock)
    }

    /// The time of day, in full.
    pub(super) fn time(&self) -> SystemTime {
        self.clock.now()
    }

    /// The date after some time, as headers have it.
    pub(crate) fn date_after(&self, later: Duration) -> String {
        let later = i64::try_from(later.as_secs()).unwrap_or(i64::MAX);
        let then = jiff::Timestamp::from_second(self.now().saturating_add(later));
        let then = then.unwrap_or(jiff::Timestamp::MAX);
        then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Writes a line about a write of an administrator into the audit log.
    pub(crate) async fn audit(&self, entry: Entry) -> Result<(), AdminError> {
        self.audit.write(self.time(), entry).await
    }

    /// An id that nothing else has.
    pub(crate) fn fresh_id(&self) -> String {
        uuid::fresh(&*self.random)
    }

    /// The server will end: it is not ready any more.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server can do its work: `None`, or what is missing.
    pub(crate) async fn missing(&self) -> Option<(&'static str, String)> {
        if self.draining.load(Ordering::Acquire) {
            return Some(("server", "it was told to end".to_owned()));
        }
        if let Err(error) = within(self.store.ping()).await {
            return Some(("database", error.to_string()));
        }
        (!self.ring.is_complete()).then(|| ("keys", "the signing keys are being made".to_owned()))
    }
}

/// The time of day, in seconds since 1970.
pub(super) fn seconds(clock: &dyn Clock) -> i64 {
    let since = clock
        .now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Waits for the store, but not for ever.
pub(super) async fn within<T>(answer: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
    let span = tracing::trace_span!(target: SPANS, "store", otel.kind = "client");
    tokio::time::timeout(STORE_PATIENCE, answer)
        .instrument(span)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".to_owned())))
}
