//! `oAuthTokenExchange`: a caller's token in, another one out, which a server gives in its place (RFC
//! 8693, or Entra ID's on-behalf-of flow). `bearer/` finds the caller's token and refuses, `swap/` gets
//! the other and goes on with it; here both meet. What the caller sent never reaches the service.

use std::fmt;
use std::sync::Arc;

use carnet_config::routing::middleware::OAuthTokenExchange as Options;
use carnet_oauth::client_auth::Credentials;
use futures_util::future::BoxFuture;
use http::HeaderMap;

use super::bearer::{Challenge, Place, Scheme, Shown};
use super::swap::Swap;
use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::supplies::Supplies;
use crate::token_source::{Caller, Grant, TokenFault};

/// The middleware. Its tokens are kept as long as it is carried over.
pub(super) struct OAuthTokenExchange {
    name: String,
    place: Place,
    challenge: Challenge,
    /// The gateway, as a client of the server.
    own: Arc<[Credentials]>,
    swap: Swap,
}

impl OAuthTokenExchange {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let own = options.client.credentials.iter();
        let own = own.map(|own| Credentials {
            id: own.client_id.clone(),
            secret: own.client_secret.clone(),
        });
        let grant = Grant::Exchange(options.method.clone());
        Ok(Self {
            name: name.to_owned(),
            place: Place::new(&options.token_source, &supplies.room)?,
            challenge: Challenge::new(None, &[], false),
            own: own.collect(),
            swap: Swap::new(&options.client, grant, blamed, supplies)?,
        })
    }

    /// Whose token the request carries, taken off it.
    async fn caller(
        &self,
        request: Request,
        exchange: &Exchange,
    ) -> Result<(Request, Caller), Fault> {
        let (mut request, found, _share) = self.place.look(request, exchange).await?;
        let shown = Shown::only(found)?;
        if shown.scheme == Scheme::Dpop {
            let cause = "the token is bound to a key, which nobody else can prove to have";
            return Err(Fault::new(Reason::TokenInvalid).because(cause));
        }
        self.place.take_off(&mut request);
        let caller = self
            .swap
            .source
            .caller_with(Arc::clone(&self.own), shown.token);
        let caller = caller.ok_or_else(|| Fault::new(Reason::Internal))?;
        Ok((request, caller))
    }

    async fn exchanged(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let (mut request, caller) = self.caller(request, exchange).await?;
        match self.swap.pass_at_once(&mut request, &caller, exchange) {
            Some(passed) => {
                let origin = passed?;
                Ok(self.swap.told(next.run(request).await, origin))
            }
            None => self.swap.pass(request, &caller, exchange, next).await,
        }
    }
}

/// The caller answers for a token that does not count or does not reach so far; for everything else
/// the gateway does.
fn blamed(refusal: &TokenFault) -> Reason {
    match refusal {
        TokenFault::InvalidSubject(_) => Reason::TokenInvalid,
        TokenFault::Forbidden(_) => Reason::CallerForbidden,
        _ => Reason::TokenRefused,
    }
}

impl Middleware for OAuthTokenExchange {
    fn kind(&self) -> &'static str {
        "oAuthTokenExchange"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            let answered = self.exchanged(request, exchange, next).await;
            Ok(answered.unwrap_or_else(|fault| {
                let response = self.challenge.refused(&fault, Scheme::Bearer, exchange);
                self.swap.refused(response)
            }))
        })
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.swap.disown(headers);
    }
}

impl fmt::Debug for OAuthTokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthTokenExchange")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
