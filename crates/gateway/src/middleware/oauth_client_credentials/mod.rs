//! `oAuthClientCredentials`: credentials in, a Bearer token out (RFC 6749 section 4.4).
//!
//! Whose credentials they are makes the two modes: the caller's own from a Basic header, or the
//! gateway's from the configuration. The rest is the same: what the caller sent in `Authorization`
//! and in the forwarded headers never reaches the service, and a request without a token never
//! gets past here.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use carnet_config::claims::{self, ClaimPath, Expression};
use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use carnet_config::routing::middleware::oauth_client_credentials::{KeysAt, Store as StoreOptions};
use carnet_oauth::client_auth::Credentials;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};

mod stamp;

use stamp::Stamp;

use super::client_tls;
use super::credentials::callers;
use super::{Exchange, Identity, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::jwks::{HttpKeys, Place};
use crate::respond;
use crate::service::Minted;
use crate::supplies::Supplies;
use crate::token_source::{
    self, Caller, Feed, Given, HttpEndpoint, Origin, Proof, Server, Shared, Token, TokenFault,
    TokenSource, Verifier, proof_parts,
};
use crate::upstream::{Client, Transport, copy_of_head, is_repeatable};

/// The middleware. Its tokens are kept as long as it is carried over.
pub(super) struct OAuthClientCredentials {
    name: String,
    whose: Whose,
    source: TokenSource,
    claims: Option<Expression>,
    stamp: Stamp,
    username_claim: Option<ClaimPath>,
    /// Tells the client where the token came from.
    header: Option<HeaderName>,
    /// Whether a token that the service does not take is fetched anew, once.
    retries_unauthorized: bool,
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
        let source = TokenSource::new(
            token_source::Options::of(options),
            server(options, supplies)?,
            supplies,
        );
        let own = options.credentials.as_ref().map(|own| Credentials {
            id: own.client_id.clone(),
            secret: own.client_secret.clone(),
        });
        let own = own.and_then(|own| source.caller([own]));
        Ok(Self {
            name: name.to_owned(),
            whose: own.map_or(Whose::Callers, Whose::Gateways),
            source,
            claims: options.claims.clone(),
            stamp: Stamp::new(options)?,
            username_claim: options.username_claim.clone(),
            header: header(options)?,
            retries_unauthorized: options.retry_unauthorized,
        })
    }

    /// Who wants a token.
    fn caller(&self, request: &Request) -> Result<Cow<'_, Caller>, Fault> {
        if let Whose::Gateways(own) = &self.whose {
            return Ok(Cow::Borrowed(own));
        }
        let readings = callers(request.headers());
        let caller = readings.and_then(|readings| self.source.caller(readings));
        let caller = caller.ok_or_else(|| Fault::new(Reason::CallerUnauthenticated))?;
        Ok(Cow::Owned(caller))
    }

    /// Gets a token and puts it on the request.
    async fn exchange(
        &self,
        request: &mut Request,
        caller: &Caller,
        exchange: &Exchange,
    ) -> Result<Given, Fault> {
        let given = self.source.token(caller).await;
        let given = given.map_err(|fault| self.fault(fault))?;
        self.put(&given.token, request, exchange)?;
        Ok(given)
    }

    /// Puts a token on the request, whose trace then leads to the call that got it.
    fn put(&self, token: &Token, request: &mut Request, exchange: &Exchange) -> Result<(), Fault> {
        if let (Some(trace), Some(span)) = (exchange.trace(), token.span()) {
            trace.link(span);
        }
        self.check(token)?;
        self.stamp.put(request.headers_mut(), token);
        request.extensions_mut().insert(Minted);
        Ok(())
    }

    /// Tells whose request it is.
    fn identify(&self, caller: &Caller, token: &Token, exchange: &Exchange) {
        exchange.identify(Identity {
            username: self.username(token),
            client_id: Some(caller.client_id().to_owned()),
        });
    }

    /// Goes on with a token from memory: nobody waits, as with most requests. `None`: there is
    /// none, or there may be more to do than that.
    fn pass_at_once<'a>(
        &'a self,
        request: &mut Request,
        caller: &Caller,
        exchange: &'a Exchange,
    ) -> Option<Result<Origin, Fault>> {
        if self.retries_unauthorized {
            return None;
        }
        let Given { token, origin } = self.source.at_hand(caller)?;
        Some(self.put(&token, request, exchange).map(|()| {
            self.identify(caller, &token, exchange);
            origin
        }))
    }

    /// Goes on with a token; tells where it came from.
    async fn pass(
        &self,
        mut request: Request,
        caller: &Caller,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<(Response, Origin), Fault> {
        let given = self.exchange(&mut request, caller, exchange).await?;
        self.identify(caller, &given.token, exchange);
        let again = self.retries_unauthorized && is_repeatable(&request);
        let again = again.then(|| copy_of_head(&request));
        let response = next.run(request).await;
        let is_rejected = response.status() == StatusCode::UNAUTHORIZED;
        let Some(mut again) = again.filter(|_| is_rejected) else {
            return Ok((response, given.origin));
        };
        if given.origin == Origin::Provider || !self.source.reject(caller, &given.token) {
            return Ok((response, given.origin));
        }
        let given = self.exchange(&mut again, caller, exchange).await?;
        exchange.note(|record| record.retry_attempts += 1);
        Ok((next.run(again).await, given.origin))
    }

    /// The answer to a request that got no token.
    fn refused(&self, fault: Fault, exchange: &Exchange) -> Result<Response, Fault> {
        if self.header.is_none() {
            return Err(fault);
        }
        let mut response = respond::to_fault(&fault, exchange);
        self.tell(&mut response, "refused");
        Ok(response)
    }

    /// Says on the response where the token came from, where that is wanted.
    fn tell(&self, response: &mut Response, word: &'static str) {
        if let Some(name) = &self.header {
            let value = HeaderValue::from_static(word);
            response.headers_mut().insert(name, value);
        }
    }

    fn check(&self, token: &Token) -> Result<(), Fault> {
        match (&self.claims, &token.claims) {
            (None, _) => Ok(()),
            (Some(expression), Some(claims)) if expression.holds(claims) => Ok(()),
            (Some(_), Some(_)) => Err(Fault::new(Reason::ClaimsUnsatisfied)),
            (Some(_), None) => Err(Fault::new(Reason::ClaimsUnsatisfied)
                .because("the token is opaque: it has no claims to look at")),
        }
    }

    fn username(&self, token: &Token) -> Option<String> {
        let claim = self.username_claim.as_ref()?.find(token.claims.as_ref()?)?;
        Some(claims::text(claim)).filter(|name| !name.is_empty())
    }

    /// A caller answers for credentials of its own; for the gateway's, the gateway does.
    fn fault(&self, fault: TokenFault) -> Fault {
        let is_callers = matches!(self.whose, Whose::Callers);
        let reason = match &fault {
            TokenFault::Unavailable { .. } | TokenFault::Busy => Reason::TokenEndpointUnavailable,
            TokenFault::TimedOut => Reason::TokenEndpointTimeout,
            TokenFault::NoToken(_) => Reason::TokenEndpointAnswer,
            TokenFault::InvalidClient(_) if is_callers => Reason::CallerUnauthenticated,
            TokenFault::Denied(_) if is_callers => Reason::CallerForbidden,
            TokenFault::InvalidClient(_) | TokenFault::Denied(_) => Reason::TokenRefused,
        };
        let answer = Fault::new(reason);
        let answer = match fault.retry_after() {
            Some(wait) => answer.retry_after(wait),
            None => answer,
        };
        answer.because(fault)
    }
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
        match self.pass_at_once(&mut request, &caller, exchange) {
            Some(Ok(origin)) => {
                let answer = next.run(request);
                return Box::pin(answer.map(move |mut response| {
                    self.tell(&mut response, word(origin));
                    Ok(response)
                }));
            }
            Some(Err(fault)) => return ready(self.refused(fault, exchange)).boxed(),
            None => {}
        }
        Box::pin(async move {
            match self.pass(request, &caller, exchange, next).await {
                Ok((mut response, origin)) => {
                    self.tell(&mut response, word(origin));
                    Ok(response)
                }
                Err(fault) => self.refused(fault, exchange),
            }
        })
    }
}

impl fmt::Debug for OAuthClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClientCredentials")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How the authorization server is reached.
fn server(options: &Options, supplies: &Supplies) -> Result<Server, String> {
    let transport = Transport {
        tls: client_tls(&options.client_config.tls),
        ..Transport::default()
    };
    let client = Client::new(&transport, Arc::clone(&supplies.resolve))?;
    let stream = options.revocations.as_ref();
    let feed = stream.map(|stream| {
        let bearer = stream.bearer.as_ref();
        Feed::new(&stream.url, bearer, client.clone())
    });
    let verifier = options.verify.as_ref().map(|verify| {
        let place = match &verify.keys {
            KeysAt::Jwks(url) => Place::Set(url.clone()),
            KeysAt::Discovery(url) => Place::Metadata(url.clone()),
        };
        // The call that waits for it has an end of its own, and is repeated by whoever made it.
        let keys = HttpKeys::new(place, client.clone(), options.client_config.timeout, 0);
        Verifier::new(Arc::new(keys), verify.issuer.clone(), &verify.audience)
    });
    let proof = Proof::of(options)?;
    let shared = options.store.as_ref();
    let certificate = options.client_config.tls.cert.as_deref();
    let parts = proof_parts(&proof, certificate);
    let shared = shared.map(|store| shared_store(store, parts, supplies));
    Ok(Server {
        endpoint: Arc::new(HttpEndpoint::new(&options.url, client)?),
        proof,
        feed: feed.transpose()?,
        verifier,
        shared: shared.transpose()?,
    })
}

/// The store that other gateways use too.
fn shared_store(
    options: &StoreOptions,
    proof: Vec<Vec<u8>>,
    supplies: &Supplies,
) -> Result<Shared, String> {
    let stores = &supplies.providers.stores;
    let store = stores.of(&options.redis, &supplies.resolve)?;
    Shared::new(store, &options.key_prefix, &options.secrets.0, proof)
}

/// The words of `cache.header`.
fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::Memory | Origin::Store => "hit",
        Origin::MemoryRenewed => "refreshed",
        Origin::Provider => "miss",
    }
}

fn header(options: &Options) -> Result<Option<HeaderName>, String> {
    let name = options.cache.header.as_deref();
    let name = name.map(HeaderName::try_from).transpose();
    name.map_err(|_| "`cache.header` is no name of a header".to_owned())
}
