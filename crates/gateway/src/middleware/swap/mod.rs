//! A request goes on with a token of a source in the place of what its caller sent: all that
//! `oAuthClientCredentials` and `oAuthTokenExchange` have in common. Who wants the token, and whose
//! fault it is that there is none, they say themselves. `server.rs` reaches the authorization server,
//! `stamp.rs` is what the service gets.

use carnet_config::claims::{self, ClaimPath, Expression};
use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

mod server;
mod stamp;

use stamp::Stamp;

use super::{Exchange, Identity, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::service::Minted;
use crate::supplies::Supplies;
use crate::token_source::{self, Caller, Given, Grant, Origin, Token, TokenFault, TokenSource};
use crate::upstream::{copy_of_head, is_repeatable};

/// Says which reason a refusal of the authorization server is.
pub(super) type Blames = fn(&TokenFault) -> Reason;

/// What gets tokens and puts them on requests.
pub(super) struct Swap {
    pub(super) source: TokenSource,
    blames: Blames,
    claims: Option<Expression>,
    stamp: Stamp,
    username_claim: Option<ClaimPath>,
    /// Tells the client where the token came from.
    header: Option<HeaderName>,
    /// Whether a token that the service does not take is fetched anew, once.
    retries_unauthorized: bool,
}

impl Swap {
    /// The error is one sentence.
    pub(super) fn new(
        options: &Options,
        grant: Grant,
        blames: Blames,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let source = TokenSource::new(
            token_source::Options::of(options, grant),
            server::of(options, supplies)?,
            supplies,
        );
        Ok(Self {
            source,
            blames,
            claims: options.claims.clone(),
            stamp: Stamp::new(options)?,
            username_claim: options.username_claim.clone(),
            header: header(options)?,
            retries_unauthorized: options.retry_unauthorized,
        })
    }

    /// Takes out of a request what a caller sent in the place of claims.
    pub(super) fn disown(&self, headers: &mut HeaderMap) {
        self.stamp.disown(headers);
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
    pub(super) fn pass_at_once<'a>(
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

    /// Goes on with a token; the response tells where it came from.
    pub(super) async fn pass(
        &self,
        mut request: Request,
        caller: &Caller,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let given = self.exchange(&mut request, caller, exchange).await?;
        self.identify(caller, &given.token, exchange);
        let again = self.retries_unauthorized && is_repeatable(&request);
        let again = again.then(|| copy_of_head(&request));
        let response = next.run(request).await;
        let is_rejected = response.status() == StatusCode::UNAUTHORIZED;
        let Some(mut again) = again.filter(|_| is_rejected) else {
            return Ok(self.told(response, given.origin));
        };
        if given.origin == Origin::Provider || !self.source.reject(caller, &given.token) {
            return Ok(self.told(response, given.origin));
        }
        let given = self.exchange(&mut again, caller, exchange).await?;
        exchange.note(|record| record.retry_attempts += 1);
        let response = next.run(again).await;
        Ok(self.told(response, given.origin))
    }

    /// A response that says where the token came from, where that is wanted.
    pub(super) fn told(&self, mut response: Response, origin: Origin) -> Response {
        self.tell(&mut response, word(origin));
        response
    }

    /// A response that says that there was no token, where that is wanted.
    pub(super) fn refused(&self, mut response: Response) -> Response {
        self.tell(&mut response, "refused");
        response
    }

    /// Whether responses say where the token came from.
    pub(super) fn tells(&self) -> bool {
        self.header.is_some()
    }

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

    fn fault(&self, fault: TokenFault) -> Fault {
        let reason = match &fault {
            TokenFault::Unavailable { .. } | TokenFault::Busy => Reason::TokenEndpointUnavailable,
            TokenFault::Unverifiable => Reason::TokenUnverifiable,
            TokenFault::TimedOut => Reason::TokenEndpointTimeout,
            TokenFault::NoToken(_) => Reason::TokenEndpointAnswer,
            TokenFault::InvalidClient(_)
            | TokenFault::InvalidSubject(_)
            | TokenFault::Forbidden(_)
            | TokenFault::Denied(_) => (self.blames)(&fault),
        };
        let answer = Fault::new(reason);
        let answer = match fault.retry_after() {
            Some(wait) => answer.retry_after(wait),
            None => answer,
        };
        answer.because(fault)
    }
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
