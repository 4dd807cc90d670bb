//! `oAuthIntrospection`: only requests pass with a token for which its server vouches (RFC 7662).
//! `question.rs` asks it, `answers.rs` keeps what it said and lets one question stand for all who
//! wait; `bearer/` finds tokens, refuses and stamps.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use carnet_config::routing::middleware::OAuthIntrospection as Options;
use carnet_jose::Registered;
use carnet_jose::jwt::Claims;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

mod answers;
mod question;

use answers::{Answers, Verdict};
use question::Question;

use super::bearer::{self, Binding, Claimed, Judged, Judges, Known, Passage};
use super::digests::Digests;
use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::{Expected, Kind};
use crate::supplies::Supplies;

/// The middleware. What it was told is kept as long as it is carried over.
pub(super) struct OAuthIntrospection {
    name: String,
    passage: Passage,
    digests: Digests,
    server: Arc<Server>,
}

/// The server, and what its answers come to.
struct Server {
    question: Question,
    answers: Answers,
    expected: Expected,
    claimed: Claimed,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    negative_max_age: Duration,
}

impl OAuthIntrospection {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let expected = Expected {
            issuer: options.issuer.clone(),
            audience: options.audience.clone(),
            leeway: 0,
            needs_end: false,
            kind: Kind::Access,
        };
        let told = (options.resource_metadata.as_ref(), &options.claimed);
        Ok(Self {
            name: name.to_owned(),
            passage: Passage::new(&options.token_source, told, options.dpop.as_ref(), supplies)?,
            digests: Digests::new(supplies.random.as_ref())?,
            server: Arc::new(Server {
                question: Question::new(options, supplies)?,
                answers: Answers::new(),
                expected,
                claimed: Claimed::new(&options.claimed)?,
                clock: Arc::clone(&supplies.clock),
                max_age: options.cache.max_age,
                negative_max_age: options.cache.negative_max_age,
            }),
        })
    }
}

impl Judges for OAuthIntrospection {
    fn claimed(&self) -> &Claimed {
        &self.server.claimed
    }

    fn at_once(&self, token: &str) -> Option<Judged> {
        let digest = self.digests.of(token).ok()?;
        let kept = self.server.answers.find(&digest, self.server.clock.now());
        kept.map(|verdict| Judged::Before(said(&verdict)))
    }

    /// What its server says of a token.
    async fn known(&self, token: &SecretString) -> Result<Arc<Known>, Fault> {
        let server = &self.server;
        let digest = self.digests.of(token.expose_secret())?;
        let now = server.clock.now();
        let (asking, token) = (Arc::clone(server), token.clone());
        let ask = async move { asking.ask(&token).await };
        let outcome = server.answers.one_for_all(server, (digest, now), ask).await;
        let verdict = outcome.map_err(|sentence| {
            Fault::new(Reason::TokenUnverifiable)
                .retry_after(Duration::from_secs(1))
                .because(sentence)
        })?;
        said(&verdict)
    }
}

fn said(verdict: &Verdict) -> Result<Arc<Known>, Fault> {
    match &verdict.known {
        Ok(known) => Ok(Arc::clone(known)),
        Err(sentence) => Err(Fault::new(Reason::TokenInvalid).because(*sentence)),
    }
}

impl AsRef<Answers> for Server {
    fn as_ref(&self) -> &Answers {
        &self.answers
    }
}

impl Server {
    /// Asks. The error is for the log: there was no answer.
    async fn ask(&self, token: &SecretString) -> Result<Verdict, String> {
        let claims = self.question.ask(token).await?;
        let now = self.clock.now();
        let length = token.expose_secret().len();
        Ok(match self.judged(claims, now) {
            Ok((known, until)) => Verdict::new(Ok(Arc::new(known)), (now, until), length),
            Err(sentence) => {
                let until = now + self.negative_max_age;
                Verdict::new(Err(sentence), (now, until), length)
            }
        })
    }

    /// What an answer comes to, and until when. The error says why the token does not count.
    fn judged(&self, claims: Claims, now: SystemTime) -> Result<(Known, SystemTime), &'static str> {
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            _ => return Err("its server says that the token is not active"),
        }
        let seconds = crate::token_source::seconds(now);
        let registered = Registered::of(&claims);
        self.expected.look(&registered, None, seconds)?;
        let end = bearer::end(registered.end);
        let binding = Binding::of(registered.confirmation.as_deref());
        let longest = now + self.max_age;
        let known = Known {
            binding,
            stamped: self.claimed.stamp(Value::Object(claims).into()),
            strength: None,
        };
        Ok((known, end.map_or(longest, |end| end.min(longest))))
    }
}

impl Middleware for OAuthIntrospection {
    fn kind(&self) -> &'static str {
        "oAuthIntrospection"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        self.passage.pass(self, request, exchange, next)
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.server.claimed.disown(headers);
    }
}

impl fmt::Debug for OAuthIntrospection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthIntrospection")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
