//! `oAuthClientCredentials`: credentials in, a Bearer token out (RFC 6749 section 4.4).
//!
//! Whose credentials they are makes the two modes: the caller's own from a Basic header, or the
//! gateway's from the configuration. The rest is the same, and in `swap/`: what the caller sent in
//! `Authorization` and in the forwarded headers never reaches the service, and a request without a
//! token never gets past here.

use std::borrow::Cow;
use std::fmt;

use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use carnet_oauth::client_auth::Credentials;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::HeaderMap;

use super::credentials::callers;
use super::swap::Swap;
use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::respond;
use crate::supplies::Supplies;
use crate::token_source::{Caller, Grant, TokenFault};

/// The middleware. Its tokens are kept as long as it is carried over.
pub(super) struct OAuthClientCredentials {
    name: String,
    whose: Whose,
    swap: Swap,
}

/// Whose credentials are exchanged.
enum Whose {
    /// Mode A: the caller's.
    Callers,
    /// Mode B: the gateway's.
    Gateways(Caller),
}

impl OAuthClientCredentials {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let blames = match options.credentials {
            None => of_the_caller,
            Some(_) => of_the_gateway,
        };
        let swap = Swap::new(options, Grant::ClientCredentials, blames, supplies)?;
        let own = options.credentials.as_ref().map(|own| Credentials {
            id: own.client_id.clone(),
            secret: own.client_secret.clone(),
        });
        let own = own.and_then(|own| swap.source.caller([own]));
        Ok(Self {
            name: name.to_owned(),
            whose: own.map_or(Whose::Callers, Whose::Gateways),
            swap,
        })
    }

    /// Who wants a token.
    fn caller(&self, request: &Request) -> Result<Cow<'_, Caller>, Fault> {
        if let Whose::Gateways(own) = &self.whose {
            return Ok(Cow::Borrowed(own));
        }
        let readings = callers(request.headers());
        let caller = readings.and_then(|readings| self.swap.source.caller(readings));
        let caller = caller.ok_or_else(|| Fault::new(Reason::CallerUnauthenticated))?;
        Ok(Cow::Owned(caller))
    }

    /// The answer to a request that got no token.
    fn refused(&self, fault: Fault, exchange: &Exchange) -> Result<Response, Fault> {
        match self.swap.tells() {
            true => Ok(self.swap.refused(respond::to_fault(&fault, exchange))),
            false => Err(fault),
        }
    }
}

/// A caller answers for credentials of its own.
fn of_the_caller(refusal: &TokenFault) -> Reason {
    match refusal {
        TokenFault::InvalidClient(_) => Reason::CallerUnauthenticated,
        _ => Reason::CallerForbidden,
    }
}

/// For the gateway's, the gateway does.
fn of_the_gateway(_: &TokenFault) -> Reason {
    Reason::TokenRefused
}

impl Middleware for OAuthClientCredentials {
    fn kind(&self) -> &'static str {
        "oAuthClientCredentials"
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let caller = match self.caller(&request) {
            Ok(caller) => caller,
            Err(fault) => return ready(self.refused(fault, exchange)).boxed(),
        };
        match self.swap.pass_at_once(&mut request, &caller, exchange) {
            Some(Ok(origin)) => {
                let answer = next.run(request);
                return Box::pin(answer.map(move |response| Ok(self.swap.told(response, origin))));
            }
            Some(Err(fault)) => return ready(self.refused(fault, exchange)).boxed(),
            None => {}
        }
        Box::pin(async move {
            let passed = self.swap.pass(request, &caller, exchange, next).await;
            passed.or_else(|fault| self.refused(fault, exchange))
        })
    }

    fn disown(&self, headers: &mut HeaderMap) {
        self.swap.disown(headers);
    }
}

impl fmt::Debug for OAuthClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClientCredentials")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
