//! `jwt`: only requests pass with a token that somebody signed whom we trust (RFC 7519). `jwks/`
//! judges tokens, `bearer/` finds them, refuses and stamps; here both meet, and what was judged is
//! remembered (`remembered.rs`).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use carnet_config::routing::middleware::Jwt as Options;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};

mod remembered;
mod trusted;

use remembered::{Remembered, Until};

use super::bearer::{Binding, Claimed, Judged, Judges, Known, Passage, Told};
use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::{self, Believed, Expected, Judge, Kind, Published, Refusal};
use crate::supplies::Supplies;
use crate::token_source::seconds;

/// The middleware. What it remembers, and its keys, are kept as long as it is carried over.
pub(super) struct Jwt {
    name: String,
    passage: Passage,
    judge: Judge,
    claimed: Claimed,
    remembered: Option<Remembered>,
    clock: Arc<dyn Clock>,
}

impl Jwt {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let expected = Expected {
            issuer: options.issuer.clone(),
            audience: options.audience.clone(),
            leeway: i64::try_from(options.leeway.as_secs()).unwrap_or(i64::MAX),
            needs_end: false,
            kind: Kind::Access,
        };
        let told = (options.resource_metadata.as_ref(), &options.claimed);
        Ok(Self {
            name: name.to_owned(),
            passage: Passage::new(&options.token_source, told, options.dpop.as_ref(), supplies)?,
            judge: Judge::new(trusted::of(options, supplies)?, expected),
            claimed: Claimed::new(&options.claimed)?,
            remembered: options
                .is_cached
                .then(|| Remembered::new(supplies.random.as_ref()))
                .transpose()?,
            clock: Arc::clone(&supplies.clock),
        })
    }

    /// What is known of a token that was believed, for others who bring it, too.
    fn learned(&self, token: &str, believed: Believed, now: SystemTime) -> Arc<Known> {
        let until = Until::of(&believed);
        let known = Arc::new(Known {
            binding: Binding::of(believed.confirmation.as_ref()),
            stamped: self.claimed.stamp(Told::unread(believed.payload)),
            strength: Some(believed.strength),
        });
        if let Some(remembered) = &self.remembered {
            remembered.note(token, &known, until, now);
        }
        known
    }
}

fn fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::NoKeys => {
            let fault = Fault::new(Reason::TokenUnverifiable).retry_after(jwks::PAUSE);
            fault.because("there are no keys to verify tokens with")
        }
        Refusal::Wrong(sentence) => Fault::new(Reason::TokenInvalid).because(sentence),
    }
}

impl Judges for Jwt {
    fn claimed(&self) -> &Claimed {
        &self.claimed
    }

    fn at_once(&self, token: &str) -> Option<Judged> {
        let now = self.clock.now();
        let is_trusted = |keys: Option<&Arc<Published>>| self.judge.trusts(keys);
        let remembered = self.remembered.as_ref();
        if let Some(known) = remembered.and_then(|all| all.find(token, now, is_trusted)) {
            return Some(Judged::Before(Ok(known)));
        }
        let judged = self.judge.at_once(token, seconds(now))?;
        let learned = |believed| self.learned(token, believed, now);
        Some(Judged::Now(judged.map_err(fault).map(learned)))
    }

    async fn known(&self, token: &SecretString) -> Result<Arc<Known>, Fault> {
        let now = self.clock.now();
        let text = token.expose_secret();
        let judged = self.judge.judge(text, seconds(now)).await;
        let learned = |believed| self.learned(text, believed, now);
        judged.map_err(fault).map(learned)
    }
}

impl Middleware for Jwt {
    fn kind(&self) -> &'static str {
        "jwt"
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
        self.claimed.disown(headers);
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
