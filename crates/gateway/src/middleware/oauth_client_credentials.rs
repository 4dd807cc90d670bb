//! `oAuthClientCredentials`: credentials in, a Bearer token out (RFC 6749 section 4.4).
//!
//! Whose credentials they are makes the two modes: the caller's own from a Basic header, or the
//! gateway's from the configuration. The rest is the same: what the caller sent in `Authorization`
//! and in the forwarded headers never reaches the service, and a request without a token never
//! gets past here.

use std::fmt;
use std::sync::Arc;

use carnet_config::claims::{self, ClaimPath, Expression};
use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use carnet_config::routing::middleware::oauth_client_credentials::ClientTls;
use carnet_oauth::client_auth::{Basic, Credentials};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{Exchange, Identity, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::supplies::Supplies;
use crate::token_source::{self, HttpEndpoint, Token, TokenFault, TokenSource};
use crate::upstream::{Client, ClientCertificate, Tls, Transport};

/// Longer values are not sent: servers refuse fields of that size, and no identity has it.
const MAX_VALUE: usize = 8 * 1024;

/// The middleware. Its tokens are kept as long as it is carried over.
pub(super) struct OAuthClientCredentials {
    name: String,
    whose: Whose,
    source: TokenSource,
    claims: Option<Expression>,
    forward_headers: Vec<(HeaderName, ClaimPath)>,
    username_claim: Option<ClaimPath>,
}

/// Whose credentials are exchanged.
enum Whose {
    /// Mode A: the caller's.
    Callers,
    /// Mode B: the gateway's.
    Gateways(Credentials),
}

impl OAuthClientCredentials {
    /// The middleware of these options. The error is one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let transport = Transport {
            tls: tls(&options.client_config.tls),
            ..Transport::default()
        };
        let client = Client::new(&transport, Arc::clone(&supplies.resolve))?;
        let endpoint = HttpEndpoint::new(&options.url, client)?;
        Ok(Self {
            name: name.to_owned(),
            whose: match &options.credentials {
                None => Whose::Callers,
                Some(own) => Whose::Gateways(Credentials {
                    id: own.client_id.clone(),
                    secret: own.client_secret.clone(),
                }),
            },
            source: TokenSource::new(
                token_source::Options::of(options),
                Arc::new(endpoint),
                Arc::clone(&supplies.clock),
                Arc::clone(&supplies.random),
            ),
            claims: options.claims.clone(),
            forward_headers: forward_headers(options)?,
            username_claim: options.username_claim.clone(),
        })
    }

    async fn exchange(&self, request: &mut Request, exchange: &Exchange) -> Result<(), Fault> {
        let readings = match &self.whose {
            Whose::Callers => callers(request.headers())
                .ok_or_else(|| Fault::new(Reason::CallerUnauthenticated))?,
            Whose::Gateways(own) => vec![own.clone()],
        };
        let token = self.source.token(&readings).await;
        let token = token.map_err(|fault| self.fault(fault))?;
        self.check(&token)?;
        self.stamp(request.headers_mut(), &token);
        exchange.identify(Identity {
            username: self.username(&token),
            client_id: readings.into_iter().next().map(|first| first.id),
        });
        Ok(())
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

    /// Puts the token in the place of what the caller sent. The fields of `forwardHeaders` are the
    /// gateway's: the caller's are removed in every spelling that a server may read as the same,
    /// and a claim that is missing leaves the field empty.
    fn stamp(&self, headers: &mut HeaderMap, token: &Token) {
        for (name, path) in &self.forward_headers {
            remove_lookalikes(headers, name);
            let claim = token.claims.as_ref().and_then(|claims| path.find(claims));
            headers.insert(name, claim.map_or_else(empty, value));
        }
        headers.insert(AUTHORIZATION, token.bearer.clone());
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
        async move {
            self.exchange(&mut request, exchange).await?;
            Ok(next.run(request).await)
        }
        .boxed()
    }
}

impl fmt::Debug for OAuthClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClientCredentials")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The credentials in the one `Authorization` header of a request, in their readings. First as
/// written, which is what `curl -u` and every other HTTP client mean (RFC 7617); then form-decoded,
/// as OAuth clients write them (RFC 6749 section 2.3.1), where that differs.
fn callers(headers: &HeaderMap) -> Option<Vec<Credentials>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let mut readings = Basic::parse(value.as_bytes())?.readings;
    readings.reverse();
    (!readings.iter().any(|reading| reading.id.is_empty())).then_some(readings)
}

fn forward_headers(options: &Options) -> Result<Vec<(HeaderName, ClaimPath)>, String> {
    options
        .forward_headers
        .iter()
        .map(|(name, path)| match HeaderName::try_from(name) {
            Ok(name) => Ok((name, path.clone())),
            Err(_) => Err(format!("`forwardHeaders`: `{name}` is no name of a header")),
        })
        .collect()
}

/// Removes all fields that a server may read as this one: CGI, WSGI and their kin make one name of
/// `X-User`, `X_User` and `X.User`.
fn remove_lookalikes(headers: &mut HeaderMap, name: &HeaderName) {
    let wanted = collapsed(name);
    let alike: Vec<HeaderName> = headers
        .keys()
        .filter(|name| collapsed(name).eq(wanted.clone()))
        .cloned()
        .collect();
    for name in alike {
        headers.remove(name);
    }
}

/// A name with everything that is no letter or digit made one; names are in lower case already.
fn collapsed(name: &HeaderName) -> impl Iterator<Item = u8> + Clone {
    name.as_str().bytes().map(|byte| match byte {
        b'a'..=b'z' | b'0'..=b'9' => byte,
        _ => b'-',
    })
}

/// A claim as the value of a header; nothing when it cannot be one.
fn value(claim: &Value) -> HeaderValue {
    let text = claims::text(claim);
    match HeaderValue::from_bytes(text.as_bytes()) {
        Ok(value) if text.len() <= MAX_VALUE => value,
        _ => empty(),
    }
}

fn empty() -> HeaderValue {
    HeaderValue::from_static("")
}

fn tls(options: &ClientTls) -> Tls {
    let pair = options.cert.as_ref().zip(options.key.as_ref());
    Tls {
        server_name: None,
        insecure_skip_verify: options.insecure_skip_verify,
        root_cas: options.ca.iter().cloned().collect(),
        client_certificate: pair.map(|(cert, key)| ClientCertificate {
            cert: cert.clone(),
            key: key.clone(),
        }),
    }
}
