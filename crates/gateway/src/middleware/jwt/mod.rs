//! `jwt`: only requests pass with a token that somebody signed whom we trust (RFC 7519). `jwks/`
//! judges tokens, `bearer/` finds them, refuses and stamps; here both meet, and what was judged is
//! remembered (`remembered.rs`).

use std::fmt;
use std::sync::Arc;

use carnet_config::routing::middleware::Jwt as Options;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret as _;
use serde_json::Value;

mod remembered;
mod trusted;

use remembered::Remembered;

use super::bearer::{
    Binding, Challenge, Claimed, Digests, Guard, Known, Place, Resource, Scheme, Shown, Vouched,
};
use super::{Exchange, Identity, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::{Believed, Expected, Judge, Refusal};
use crate::supplies::Supplies;

/// The middleware. What it remembers, and its keys, are kept as long as it is carried over.
pub(super) struct Jwt {
    name: String,
    place: Place,
    judge: Judge,
    claimed: Claimed,
    resource: Option<Resource>,
    challenge: Arc<Challenge>,
    guard: Guard,
    digests: Digests,
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
        };
        let resource = options.resource_metadata.as_ref().map(Resource::new);
        Ok(Self {
            name: name.to_owned(),
            place: Place::new(&options.token_source, &supplies.room)?,
            judge: Judge::new(trusted::of(options, supplies)?, expected),
            claimed: Claimed::new(&options.claimed)?,
            challenge: Arc::new(Challenge::new(resource.as_ref())),
            resource,
            guard: Guard::new(&supplies.clock),
            digests: Digests::new(supplies.random.as_ref()),
            remembered: options.is_cached.then(Remembered::new),
            clock: Arc::clone(&supplies.clock),
        })
    }

    async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        if let Some(answer) = self
            .resource
            .as_ref()
            .and_then(|told| told.answer(&request))
        {
            return Ok(answer);
        }
        let (mut request, found, _share) = self.place.look(request, exchange).await?;
        let shown = match Shown::only(found) {
            Ok(shown) => shown,
            Err(fault) => return Ok(self.challenge.refused(&fault, Scheme::Bearer, exchange)),
        };
        match self.admitted(&shown, exchange).await {
            Err(fault) => Ok(self.challenge.refused(&fault, shown.scheme, exchange)),
            Ok(known) => {
                self.claimed.admit(&mut request, &known, &self.place);
                let vouched = Vouched(known, Arc::clone(&self.challenge));
                request.extensions_mut().insert(vouched);
                Ok(next.run(request).await)
            }
        }
    }

    /// The token, where it is right and this request may use it here.
    async fn admitted(&self, shown: &Shown, exchange: &Exchange) -> Result<Arc<Known>, Fault> {
        let known = self.known(shown.token.expose_secret()).await?;
        exchange.identify(Identity {
            username: known.stamped.username.clone(),
            client_id: None,
        });
        self.guard.check(&known, shown, exchange)?;
        Ok(known)
    }

    /// What is known of a token that is right.
    async fn known(&self, token: &str) -> Result<Arc<Known>, Fault> {
        let now = self.clock.now();
        let Some(remembered) = &self.remembered else {
            return self.judged(token).await.map(|(known, _)| known);
        };
        let digest = self.digests.of(token);
        if let Some((known, keys)) = remembered.find(&digest, now)
            && self.judge.trusts(keys.as_ref()).await
        {
            return Ok(known);
        }
        let (known, believed) = self.judged(token).await?;
        remembered.note(digest, &known, believed, token.len(), now);
        Ok(known)
    }

    async fn judged(&self, token: &str) -> Result<(Arc<Known>, remembered::Until), Fault> {
        let now = crate::token_source::seconds(self.clock.now());
        let believed = self.judge.judge(token, now).await.map_err(fault)?;
        let until = remembered::Until::of(&believed);
        let Believed {
            claims, strength, ..
        } = believed;
        let claims = Value::Object(claims);
        let known = Known {
            binding: Binding::of(&claims),
            stamped: self.claimed.stamp(claims),
            strength: Some(strength),
        };
        Ok((Arc::new(known), until))
    }
}

fn fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::NoKeys => {
            Fault::new(Reason::TokenUnverifiable).because("there are no keys to verify tokens with")
        }
        Refusal::Wrong(sentence) => Fault::new(Reason::TokenInvalid).because(sentence),
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
        Box::pin(self.pass(request, exchange, next))
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
