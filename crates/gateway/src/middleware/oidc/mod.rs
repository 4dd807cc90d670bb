//! `oidc`: only people pass who logged in at an OpenID provider and have a session here. Knows which
//! request is what; refuses to know what sessions are made of. `login.rs` sends people away,
//! `callback.rs` takes them in or tells them why not (`refusal.rs`), `renew.rs` keeps them, `logout.rs`
//! lets them go, and `backchannel.rs` hears that they went; `attempt.rs` has what lies between,
//! `provider.rs` whom they meet, `id_token.rs` and `logout_token.rs` what it says of them, `place.rs`
//! where, `csrf.rs` what forms must carry, `machines.rs` who comes with a token of his own.

use std::fmt;
use std::sync::Arc;

use carnet_config::routing::middleware::Oidc as Options;
use carnet_config::routing::middleware::oidc::Place;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;

mod answer;
mod attempt;
mod backchannel;
mod callback;
mod claims;
mod csrf;
mod id_token;
mod login;
mod logout;
mod logout_token;
mod machines;
mod metadata;
mod place;
mod provider;
mod refusal;
mod renew;
mod session;

#[cfg(any(fuzzing, test))]
pub(crate) use session::hostile;

use answer::{sent_to, told, with_cookies};
use attempt::Attempts;
use claims::Claims;
use csrf::Csrf;
use machines::Machines;
use place::Here;
use provider::{Provider, unreachable};
use renew::{Renewals, Renewed};
use session::sealed::Sealed;
use session::{Found, Session, Sessions};

use super::bearer::Claimed;
use super::{Exchange, Identity, Middleware, Named, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::room::Room;
use crate::supplies::Supplies;

/// The middleware. Sessions outlive it: what they are sealed with is made of its secrets.
pub(super) struct Oidc {
    name: String,
    options: Options,
    provider: Arc<Provider>,
    attempts: Attempts,
    sessions: Sessions,
    renewals: Renewals,
    csrf: Option<Csrf>,
    machines: Option<Machines>,
    claims: Claims,
    claimed: Claimed,
    /// The parameter that the access log does not tell.
    code: Arc<str>,
    room: Arc<Room>,
    clock: Arc<dyn Clock>,
}

/// What becomes of a request's session.
enum Kept {
    /// It counts, with the cookies that go to the browser.
    Session(Box<Session>, Vec<HeaderValue>),
    /// There is none, or none any more.
    Nobody,
}

impl Oidc {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(
        name: &str,
        (options, named): (&Options, &Named),
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let (clock, random) = (&supplies.clock, &supplies.random);
        let owner = (name, &*options.client_id);
        let sealed = Sealed::new(&secrets(options), owner, clock.clone(), random.clone())?;
        let sealed = Arc::new(sealed);
        let told = &options.session;
        let stores = &supplies.providers.stores;
        let store = told.store.as_ref();
        let store = store.map(|store| stores.of(&store.redis, &supplies.resolve));
        let provider = Arc::new(Provider::new(options, supplies)?);
        let csrf = options.csrf.as_ref();
        let csrf = csrf.map(|csrf| Csrf::new(csrf, sealed.clone(), told.expiry, clock.clone()));
        let logouts = options.backchannel_logout_url.as_ref();
        // Cookies of two middlewares before one host are not called the same.
        let keeping = session::Options {
            cookie: &told.cookie,
            name: &format!("{name}-session"),
            expiry: told.expiry,
            sliding: told.sliding,
            logouts: logouts.map(|_| (provider.issuer(), &*options.client_id)),
        };
        let attempts = Attempts::new(
            (&options.state_cookie, &format!("{name}-state")),
            sealed.clone(),
            clock.clone(),
            random.clone(),
        )?;
        let bearer = options.bearer.as_ref();
        let machines = bearer.map(|bearer| Machines::new(bearer, &named.stations));
        Ok(Self {
            name: name.to_owned(),
            sessions: Sessions::new(
                &keeping,
                sealed,
                store.transpose()?,
                clock.clone(),
                random.clone(),
            )?,
            renewals: Renewals::new(Arc::clone(&provider), clock.clone(), random.as_ref())?,
            provider,
            attempts,
            csrf: csrf.transpose()?,
            machines: machines.transpose()?,
            claims: Claims::of(&options.claimed),
            claimed: Claimed::new(&options.claimed)?,
            code: Arc::from("code"),
            room: Arc::clone(&supplies.room),
            clock: clock.clone(),
            options: options.clone(),
        })
    }

    async fn handled(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let here = Here::of(&request, exchange)?;
        if here.is(&self.options.redirect_url) {
            let asked = (request.method(), request.headers());
            return Ok(self.callback(&here, asked, exchange).await);
        }
        let is_at = |place: &Option<Place>| place.as_ref().is_some_and(|place| here.is(place));
        if is_at(&self.options.logout_url) {
            return self.logout(&here, request.headers()).await;
        }
        if is_at(&self.options.backchannel_logout_url) {
            return Ok(self.backchannel(request, exchange).await);
        }
        if let Some(machines) = &self.machines
            && Machines::takes(request.headers())
        {
            return Ok(self.passed_by(machines, request, exchange, next).await);
        }
        self.by_session(&here, request, exchange, next).await
    }

    /// The answer to a request that has a session, or should have one.
    async fn by_session(
        &self,
        here: &Here,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let found = self.sessions.find(request.headers()).await?;
        let had_one = found.is_some();
        let kept = match found {
            None => Kept::Nobody,
            Some(found) => self.kept(found, request.headers()).await?,
        };
        match kept {
            Kept::Session(session, cookies) => {
                let entry = self.options.post_login_redirect_url.as_ref();
                let entry = entry.filter(|entry| !here.is(entry));
                let login = self.options.login_url.as_ref();
                if let Some(entry) = entry.filter(|_| login.is_some_and(|login| here.is(login))) {
                    return Ok(with_cookies(sent_to(&here.absolute(entry))?, cookies));
                }
                let login = session.login.clone();
                // Whatever the answer is, the browser learns of its new tokens.
                let outcome = self.served(request, *session, exchange, next).await;
                let response = told(outcome, exchange);
                Ok(match self.sessions.has_ended(&login) {
                    // Its person has left meanwhile, and is not brought back.
                    true => response,
                    false => with_cookies(response, cookies),
                })
            }
            Kept::Nobody => {
                let sent = request.headers();
                let outcome = self.nobody(here, (request.method(), sent)).await;
                let response = told(outcome, exchange);
                let ended = match had_one {
                    true => self.end(sent).await,
                    false => Vec::new(),
                };
                Ok(with_cookies(response, ended))
            }
        }
    }

    /// A session that was found, with new tokens where they are due.
    async fn kept(&self, mut found: Found, sent: &HeaderMap) -> Result<Kept, Fault> {
        let now = self.clock.now();
        let mut is_new = found.is_half_over;
        if self.options.session.refresh && Renewals::is_due(&found.session, now) {
            match self.renewals.renew(&found.session).await {
                Renewed::Session(session) => {
                    found.session = Session::clone(&session);
                    is_new = true;
                }
                Renewed::Over => return Ok(Kept::Nobody),
                Renewed::Unknown if now < found.session.expires_at => {}
                Renewed::Unknown => {
                    return Err(unreachable("the tokens of a session cannot be renewed"));
                }
            }
        }
        let mut cookies = match is_new {
            true => {
                self.sessions
                    .keep(&found.session, Some(&found), sent)
                    .await?
            }
            false => Vec::new(),
        };
        if let Some(csrf) = &self.csrf
            && (is_new || !csrf.has(&found.session, sent))
        {
            cookies.extend(csrf.keep(&found.session));
        }
        Ok(Kept::Session(Box::new(found.session), cookies))
    }

    /// Ends a session; gives the fields that do.
    async fn end(&self, sent: &HeaderMap) -> Vec<HeaderValue> {
        let mut cookies = self.sessions.end(sent).await;
        cookies.extend(self.csrf.as_ref().and_then(|csrf| csrf.end(sent)));
        cookies
    }

    /// The service's answer to somebody who is known.
    async fn served(
        &self,
        mut request: Request,
        session: Session,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let (method, sent) = (request.method(), request.headers());
        let csrf = self.csrf.as_ref();
        let checked = csrf.map_or(Ok(()), |csrf| csrf.check(&session, method, sent));
        let stamped = self.claimed.stamp(self.claims.claims(session).into());
        exchange.identify(Identity {
            username: stamped.username.clone(),
            client_id: None,
        });
        checked?;
        if !stamped.is_admitted {
            return Err(Fault::new(Reason::ClaimsUnsatisfied));
        }
        let headers = request.headers_mut();
        self.without_cookies(headers);
        if let Some(machines) = &self.machines {
            machines.disown(headers);
        }
        self.claimed.put(headers, &stamped);
        Ok(next.run(request).await)
    }

    /// The answer to a request that brings a token: a session that comes with it says nothing, and the
    /// service sees nothing of it.
    async fn passed_by(
        &self,
        machines: &Machines,
        mut request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Response {
        let headers = request.headers_mut();
        self.without_cookies(headers);
        self.claimed.disown(headers);
        machines.pass(request, exchange, next).await
    }

    /// Takes all that a browser keeps for us out of a request.
    fn without_cookies(&self, headers: &mut HeaderMap) {
        self.sessions.without(headers);
        self.attempts.without(headers);
        if let Some(csrf) = &self.csrf {
            csrf.without(headers);
        }
    }
}

impl Middleware for Oidc {
    fn kind(&self) -> &'static str {
        "oidc"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move { Ok(told(self.handled(request, exchange, next).await, exchange)) })
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.claimed.disown(headers);
        if let Some(machines) = &self.machines {
            machines.disown(headers);
        }
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What cookies are sealed with, the newest first.
fn secrets(options: &Options) -> Vec<SecretString> {
    let own = options.session.secret.iter();
    let store = options.session.store.iter();
    let own = own.chain(store.flat_map(|store| &store.secrets.0));
    let mut secrets: Vec<SecretString> = own.cloned().collect();
    if secrets.is_empty() {
        secrets.extend(options.client_secret.clone());
    }
    secrets
}
