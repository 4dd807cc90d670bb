//! `jwt`: only requests pass with a token that somebody signed whom we trust (RFC 7519). `jwks/`
//! judges tokens, `bearer/` finds them, refuses and stamps; here both meet, and what was judged is
//! remembered (`remembered.rs`).

use std::fmt;
use std::sync::Arc;

use carnet_config::routing::middleware::Jwt as Options;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

mod remembered;
mod trusted;

use remembered::Remembered;

use super::bearer::{Binding, Claimed, Judges, Known, Passage};
use super::digests::Digests;
use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::{Believed, Expected, Judge, Refusal};
use crate::supplies::Supplies;

/// The middleware. What it remembers, and its keys, are kept as long as it is carried over.
pub(super) struct Jwt {
    name: String,
    passage: Passage,
    judge: Judge,
    claimed: Claimed,
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
        let resource = options.resource_metadata.as_ref();
        Ok(Self {
            name: name.to_owned(),
            passage: Passage::new(&options.token_source, resource, supplies)?,
            judge: Judge::new(trusted::of(options, supplies)?, expected),
            claimed: Claimed::new(&options.claimed)?,
            digests: Digests::new(supplies.random.as_ref()),
            remembered: options.is_cached.then(Remembered::new),
            clock: Arc::clone(&supplies.clock),
        })
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

impl Judges for Jwt {
    fn claimed(&self) -> &Claimed {
        &self.claimed
    }

    async fn known(&self, token: &SecretString) -> Result<Arc<Known>, Fault> {
        let now = self.clock.now();
        let text = token.expose_secret();
        let Some(remembered) = &self.remembered else {
            return self.judged(text).await.map(|(known, _)| known);
        };
        let digest = self.digests.of(token);
        if let Some((known, keys)) = remembered.find(&digest, now)
            && self.judge.trusts(keys.as_ref()).await
        {
            return Ok(known);
        }
        let (known, believed) = self.judged(text).await?;
        remembered.note(digest, &known, believed, text.len(), now);
        Ok(known)
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
        Box::pin(self.passage.pass(self, request, exchange, next))
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
