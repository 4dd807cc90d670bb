//! New tokens before the old ones end, without the person (RFC 6749, section 6). Many requests come
//! with one session, and a refresh token may count once: the first that finds it due asks for all, and
//! those that a browser sent with the old cookie a little later get what it got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use carnet_jose::jwt;
use carnet_oauth::{Clock, Random};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::callback::end;
use super::id_token;
use super::provider::{Missed, Provider};
use super::session::Session;
use crate::error::{Fault, Reason};
use crate::middleware::digests::{Digest, Digests};

/// Tokens are due so long before they end.
const MARGIN: Duration = Duration::from_secs(10);

/// What a refresh token brought is remembered so long.
const KEPT: Duration = Duration::from_secs(60);

/// After a failure nobody asks for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// Renewals that are remembered or on their way. More wait for their turn.
const MOST: usize = 10_000;

/// What became of a session.
#[derive(Clone)]
pub(super) enum Renewed {
    /// It has new tokens.
    Session(Arc<Session>),
    /// It is over.
    Over,
    /// Nobody can say now.
    Unknown,
}

type Flight = Shared<BoxFuture<'static, Renewed>>;

/// The renewals of a middleware.
pub(super) struct Renewals(Arc<Inner>);

struct Inner {
    provider: Arc<Provider>,
    clock: Arc<dyn Clock>,
    digests: Digests,
    flights: Mutex<Flights>,
}

#[derive(Default)]
struct Flights {
    by_token: BTreeMap<Digest, (Flight, Instant)>,
    /// Nobody asks before.
    paused_until: Option<Instant>,
}

impl Renewals {
    /// The error is one sentence.
    pub(super) fn new(
        provider: Arc<Provider>,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            provider,
            clock,
            digests: Digests::new(random)?,
            flights: Mutex::default(),
        })))
    }

    /// Whether the tokens of a session are to be renewed, and can be.
    pub(super) fn is_due(session: &Session, now: SystemTime) -> bool {
        session.refresh_token.is_some() && session.expires_at <= now + MARGIN
    }

    /// A session with new tokens, by the renewal that is on its way or was made just now, or by a new
    /// one. It goes on also when nobody waits any more: what it brings is the only way on.
    pub(super) async fn renew(&self, session: &Session) -> Renewed {
        let Some(token) = session.refresh_token.clone() else {
            return Renewed::Unknown;
        };
        let flight = self.flight(session, token);
        match flight {
            Some(flight) => flight.await,
            None => Renewed::Unknown,
        }
    }

    /// `None`: there was a failure just now, or too many are on their way.
    fn flight(&self, session: &Session, token: SecretString) -> Option<Flight> {
        let key = self.0.digests.of(token.expose_secret()).ok()?;
        let mut flights = self.0.flights();
        flights
            .by_token
            .retain(|_, (_, since)| since.elapsed() < KEPT);
        if let Some((flight, _)) = flights.by_token.get(&key) {
            return Some(flight.clone());
        }
        let is_paused = flights
            .paused_until
            .is_some_and(|until| Instant::now() < until);
        if is_paused || flights.by_token.len() >= MOST {
            return None;
        }
        let asking = Arc::clone(&self.0).ask(key, session.clone(), token);
        let task = tokio::spawn(asking);
        let flight = task.map(|outcome| outcome.unwrap_or(Renewed::Unknown));
        let flight = flight.boxed().shared();
        let now = Instant::now();
        flights.by_token.insert(key, (flight.clone(), now));
        Some(flight)
    }
}

impl Inner {
    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(self: Arc<Self>, key: Digest, session: Session, token: SecretString) -> Renewed {
        let outcome = self.asked(session, &token).await;
        if matches!(outcome, Renewed::Unknown) {
            let mut flights = self.flights();
            flights.by_token.remove(&key);
            flights.paused_until = Some(Instant::now() + PAUSE);
        }
        outcome
    }

    async fn asked(&self, mut session: Session, token: &SecretString) -> Renewed {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose_secret()),
        ];
        let tokens = match self.provider.tokens(&fields).await {
            Ok(tokens) => tokens,
            Err(Missed::Refused(_)) => return Renewed::Over,
            Err(_) => return Renewed::Unknown,
        };
        let mut exp = None;
        if let Some(id_token) = tokens.id_token {
            let judged = self.provider.claims(&id_token, &tokens.access_token).await;
            let claims = match judged {
                Ok(claims) => claims,
                Err(fault) if fault.reason() == Reason::TokenInvalid => {
                    return self.ended(&fault);
                }
                Err(_) => return Renewed::Unknown,
            };
            if let Err(sentence) = id_token::is_same(&session.claims, &claims) {
                let fault = Fault::new(Reason::TokenInvalid).because(sentence);
                return self.ended(&fault);
            }
            exp = jwt::time(&claims, "exp");
            session.claims = claims;
            session.id_token = id_token;
        }
        session.expires_at = end(self.clock.now(), tokens.expires_in, exp);
        session.access_token = tokens.access_token;
        if let Some(next) = tokens
            .refresh_token
            .filter(|next| !next.expose_secret().is_empty())
        {
            session.refresh_token = Some(next);
        }
        Renewed::Session(Arc::new(session))
    }

    /// It is told here: who made the request is sent to log in, and hears of no fault.
    fn ended(&self, fault: &Fault) -> Renewed {
        let provider = self.provider.issuer();
        tracing::info!(provider, error = %fault, "a session ended: its renewal brought a wrong token");
        Renewed::Over
    }
}
