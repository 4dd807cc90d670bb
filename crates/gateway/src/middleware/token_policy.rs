//! `tokenPolicy`: what a token must be beside right. Knows tokens that a middleware before it has
//! judged, and nothing of how.

use std::sync::Arc;

use carnet_config::routing::middleware::TokenPolicy as Options;
use carnet_config::routing::middleware::token_policy::Bound;
use carnet_jose::jwt;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;

use super::bearer::{Binding, Known, Scheme, Vouched};
use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::Strength;
use crate::supplies::Supplies;
use crate::token_source::seconds;

/// The middleware.
pub(super) struct TokenPolicy {
    options: Options,
    clock: Arc<dyn Clock>,
}

impl TokenPolicy {
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Self {
        Self {
            options: options.clone(),
            clock: Arc::clone(&supplies.clock),
        }
    }

    /// Why the token does not do, if so.
    fn refusal(&self, known: &Known) -> Option<&'static str> {
        let Options {
            min_rsa_bits,
            refuse_shared_secrets,
            required_claims,
            ..
        } = &self.options;
        let least = usize::try_from(min_rsa_bits.unwrap_or_default()).unwrap_or(usize::MAX);
        if matches!(known.strength, Some(Strength::Rsa(bits)) if bits < least) {
            return Some("the token was signed with a key that is too small");
        }
        if *refuse_shared_secrets && known.strength == Some(Strength::Secret) {
            return Some("the token was signed with a shared secret");
        }
        let claims = known.stamped.claims.value();
        if required_claims
            .iter()
            .any(|name| claims.get(name).is_none())
        {
            return Some("the token lacks a claim that is required");
        }
        self.binding_refusal(&known.binding)
            .or_else(|| self.time_refusal(known))
    }

    fn binding_refusal(&self, binding: &Binding) -> Option<&'static str> {
        let is_right = match self.options.binding {
            None => true,
            Some(Bound::Any) => *binding != Binding::Nobody,
            Some(Bound::Certificate) => {
                matches!(binding, Binding::Certificate(_) | Binding::Both { .. })
            }
            Some(Bound::Key) => matches!(binding, Binding::Key(_) | Binding::Both { .. }),
        };
        (!is_right).then_some("the token is not bound as it must be")
    }

    fn time_refusal(&self, known: &Known) -> Option<&'static str> {
        let time = |name| jwt::time(known.stamped.claims.value().as_object()?, name);
        let longest =
            |limit: std::time::Duration| i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
        if let Some(limit) = self.options.max_lifetime {
            let life = time("exp").zip(time("iat").or_else(|| time("nbf")));
            let life = life.map(|(end, begin)| end.saturating_sub(begin));
            if life.is_none_or(|life| life > longest(limit)) {
                return Some("the token lives longer than it may, or does not say for how long");
            }
        }
        if let Some(limit) = self.options.max_age {
            let now = seconds(self.clock.now());
            let age = time("iat").map(|begin| now.saturating_sub(begin));
            if age.is_none_or(|age| age > longest(limit)) {
                return Some("the token is older than it may be, or does not say how old it is");
            }
        }
        None
    }
}

impl Middleware for TokenPolicy {
    fn kind(&self) -> &'static str {
        "tokenPolicy"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(Vouched(known, challenge)) = exchange.vouched() else {
            let cause = "no middleware before `tokenPolicy` has taken a token";
            return decided(Err(Fault::new(Reason::RouterClosed).because(cause)));
        };
        let Some(sentence) = self.refusal(&known) else {
            return next.pass(request);
        };
        let fault = Fault::new(Reason::TokenInvalid).because(sentence);
        let scheme = match known.binding {
            Binding::Key(_) | Binding::Both { .. } => Scheme::Dpop,
            _ => Scheme::Bearer,
        };
        decided(Ok(challenge.refused(&fault, scheme, exchange)))
    }
}

impl std::fmt::Debug for TokenPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TokenPolicy").field(&self.options).finish()
    }
}
