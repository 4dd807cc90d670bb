//! What the whole domain hangs on: the store, the keys, the clock, randomness and the settings.

use std::{sync::Arc, time::Duration, time::SystemTime};

use carnet_oauth::{Clock, Random};

use crate::{
    domain::{
        Error,
        client_auth::ClientKeys,
        counters::Counters,
        hook::HookCaller,
        keys::ring::{KeyRing, NewKeys},
        limits::{guesses::GuessLimiter, tokens::TokenLimiter},
        secret::{failure::FailureTimer, verifier::SecretVerifier},
        system_keys::SystemKeys,
    },
    options::Options,
    store::{Result as StoreResult, Store, StoreError},
};

/// A store that takes longer counts as out of reach: clients hear it within two seconds.
const STORE_PATIENCE: Duration = Duration::from_millis(1500);

/// The authorization server without its HTTP.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) options: Options,
    pub(super) store: Arc<dyn Store>,
    pub(super) ring: KeyRing,
    pub(super) system: Arc<SystemKeys>,
    pub(super) verifier: SecretVerifier,
    pub(super) failures: FailureTimer,
    pub(super) client_keys: ClientKeys,
    pub(super) hook: Option<Arc<HookCaller>>,
    pub(super) token_limiter: Arc<TokenLimiter>,
    pub(super) guess_limiter: Arc<GuessLimiter>,
    pub(crate) counters: Arc<Counters>,
    pub(super) random: Arc<dyn Random>,
    /// Held while a client is read, changed and written.
    pub(super) client_writes: tokio::sync::Mutex<()>,
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
        let ring = KeyRing::open(
            Arc::clone(&store),
            Arc::clone(&system),
            Arc::clone(&random),
            NewKeys {
                algorithm: options.algorithm,
                bits: options.rsa_bits,
            },
        )
        .await?;
        Ok(Self {
            ring,
            verifier: SecretVerifier::new(Arc::clone(&system), Arc::clone(&random), &options),
            failures: FailureTimer::new(options.failed_authentication_after),
            client_keys: ClientKeys::default(),
            hook: options
                .token_hook
                .clone()
                .map(HookCaller::new)
                .map(Arc::new),
            token_limiter: Arc::new(TokenLimiter::new(options.limits.tokens.clone())),
            guess_limiter: Arc::new(GuessLimiter::new(options.limits.guesses)),
            counters: Arc::default(),
            client_writes: tokio::sync::Mutex::default(),
            options,
            store,
            system,
            random,
            clock,
        })
    }

    /// The time of day, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let since = self
            .clock
            .now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// The time of day, in full.
    pub(super) fn time(&self) -> SystemTime {
        self.clock.now()
    }

    /// Whether the server can do its work: `None`, or what is missing.
    pub(crate) async fn missing(&self) -> Option<(&'static str, String)> {
        if let Err(error) = within(self.store.ping()).await {
            return Some(("database", error.to_string()));
        }
        (!self.ring.is_complete()).then(|| ("keys", "the signing keys are being made".to_owned()))
    }
}

/// Waits for the store, but not for ever.
pub(super) async fn within<T>(answer: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
    tokio::time::timeout(STORE_PATIENCE, answer)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".to_owned())))
}
