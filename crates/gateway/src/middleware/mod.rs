//! The chain a request passes on its way to its service, one file a middleware. Knows requests and
//! typed options; refuses to know configuration text and the snapshot that holds it.
//! Go on to [`Middleware`] for the contract, `next.rs` for the walk, `service/` for its end.
//!
//! To add a middleware `fooBar`:
//! 1. options in `config/src/routing/middleware/foo_bar.rs` and a variant of its enum, which
//!    breaks [`build`] below;
//! 2. `middleware/foo_bar.rs` here: a struct built from the options, `impl Middleware`;
//! 3. its arm in [`build`];
//! 4. what must survive a reload (caches, buckets) are fields of the struct: while its name and
//!    options stay equal the very object is carried over (`snapshot/carry_over.rs`);
//! 5. `tests/it/foo_bar.rs`, an example, a line in the reference.

use std::fmt;
use std::sync::Arc;

use carnet_config::routing;
use futures_util::future::BoxFuture;
use http::HeaderMap;

use crate::body::{Request, Response};
use crate::error::Fault;
use crate::supplies::Supplies;

mod add_prefix;
mod api_key;
mod basic_auth;
mod bearer;
mod buffering;
mod circuit_breaker;
mod claim_headers;
mod client_config;
mod client_ip;
mod compress;
mod content_type;
mod credentials;
mod digest_auth;
mod digests;
mod encoded_characters;
mod errors;
mod exchange;
mod forward_auth;
mod grpc_web;
mod guarded;
mod hashed;
mod headers;
mod hmac;
mod in_flight_req;
mod ip_allow_list;
mod jwt;
mod lookalikes;
mod next;
mod o_auth_introspection;
mod o_auth_token_exchange;
mod oauth_client_credentials;
mod oidc;
mod parameters;
mod pass_tls_client_cert;
mod path;
mod rate_limit;
mod redirect;
mod replace_path;
mod replace_path_regex;
mod retry;
mod stamp;
mod strip_prefix;
mod strip_prefix_regex;
mod swap;
mod token_policy;

pub(crate) use exchange::Service;
pub use exchange::{Connection, Exchange, Identity, Record};
pub(crate) use guarded::Guarded;
pub(crate) use next::decided;
pub use next::{Endpoint, Next, ServerStatus};
#[cfg(any(fuzzing, test))]
pub(crate) use oidc::hostile;

use add_prefix::AddPrefix;
use api_key::ApiKey;
use basic_auth::BasicAuth;
use buffering::Buffering;
use circuit_breaker::CircuitBreaker;
use compress::Compress;
use content_type::ContentType;
use digest_auth::DigestAuth;
use encoded_characters::EncodedCharacters;
use errors::Errors;
use forward_auth::ForwardAuth;
use grpc_web::GrpcWeb;
use headers::Headers;
use hmac::Hmac;
use in_flight_req::InFlightReq;
use ip_allow_list::IpAllowList;
use jwt::Jwt;
use o_auth_introspection::OAuthIntrospection;
use o_auth_token_exchange::OAuthTokenExchange;
use oauth_client_credentials::OAuthClientCredentials;
use oidc::Oidc;
use pass_tls_client_cert::PassTlsClientCert;
use path::Rewriter;
use rate_limit::RateLimit;
use redirect::Redirector;
use retry::Retry;
use strip_prefix_regex::StripPrefixRegex;
use token_policy::TokenPolicy;

/// One station of a chain. Immutable once built; shared by all requests.
pub trait Middleware: Send + Sync + fmt::Debug {
    /// The key in the configuration: `oAuthClientCredentials`.
    fn kind(&self) -> &'static str;

    /// Takes the request on its way: changes it and goes on with `next.run(request)`, or answers
    /// instead. A fault becomes a response before a station in front sees it. What needs no waiting
    /// is best done before a future is made, and `next.pass(request)` given back as it is where
    /// nothing is done with the answer: most stations cost no future of their own then.
    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>>;

    /// Takes out of a request what services believe of this station alone, because the request goes
    /// another way.
    fn disown(&self, headers: &mut HeaderMap) {
        let _ = headers;
    }
}

/// What a middleware's options name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    /// A service.
    pub(crate) service: Option<Arc<dyn Endpoint>>,
    /// A middleware, or the members of a chain.
    pub(crate) stations: Vec<Arc<dyn Middleware>>,
}

/// Makes the station that the options describe. `name` is qualified (`creds@file`), `named` is what
/// the options name. The error is one sentence for a diagnostic; the routers that name
/// this middleware answer 503.
pub(crate) fn build(
    name: &str,
    (options, named): (&routing::Middleware, &Named),
    supplies: &Supplies,
) -> Result<Arc<dyn Middleware>, String> {
    use routing::Middleware as Options;
    Ok(match options {
        Options::AddPrefix(options) => Arc::new(Rewriter(AddPrefix::new(options))),
        Options::ApiKey(options) => Arc::new(ApiKey::new(options, supplies)?),
        Options::BasicAuth(options) => Arc::new(BasicAuth::new(options, supplies)?),
        Options::Buffering(options) => Arc::new(Buffering::new(options, supplies)),
        // The snapshot puts its members in its place.
        Options::Chain(_) => return Err("a chain is no station of its own".to_owned()),
        Options::CircuitBreaker(options) => Arc::new(CircuitBreaker::new(name, options)),
        Options::Errors(options) => {
            let service = named.service.as_ref().ok_or("it needs a service")?;
            Arc::new(Errors::new(options, service)?)
        }
        Options::Compress(options) => Arc::new(Compress(options.clone())),
        Options::ContentType(options) => Arc::new(ContentType(options.clone())),
        Options::DigestAuth(options) => Arc::new(DigestAuth::new(options, supplies)?),
        Options::EncodedCharacters(options) => Arc::new(EncodedCharacters(*options)),
        Options::ForwardAuth(options) => Arc::new(ForwardAuth::new(options, supplies)?),
        Options::GrpcWeb(options) => Arc::new(GrpcWeb(options.clone())),
        Options::Headers(options) => Arc::new(Headers::new(options)?),
        Options::Hmac(options) => Arc::new(Hmac::new(options, supplies)?),
        Options::InFlightReq(options) => Arc::new(InFlightReq::new(options)?),
        Options::IpAllowList(options) => Arc::new(IpAllowList::new(options)?),
        Options::IpWhiteList(options) => Arc::new(IpAllowList::named("ipWhiteList", options)?),
        Options::Jwt(options) => Arc::new(Jwt::new(name, options, supplies)?),
        Options::OAuthClientCredentials(options) => {
            Arc::new(OAuthClientCredentials::new(name, options, supplies)?)
        }
        Options::OAuthIntrospection(options) => {
            Arc::new(OAuthIntrospection::new(name, options, supplies)?)
        }
        Options::OAuthTokenExchange(options) => {
            Arc::new(OAuthTokenExchange::new(name, options, supplies)?)
        }
        Options::Oidc(options) => Arc::new(Oidc::new(name, (options, named), supplies)?),
        Options::RateLimit(options) => Arc::new(RateLimit::new(name, options, supplies)?),
        Options::PassTlsClientCert(options) => Arc::new(PassTlsClientCert(options.clone())),
        Options::RedirectRegex(options) => Arc::new(Redirector(options.clone())),
        Options::RedirectScheme(options) => Arc::new(Redirector(options.clone())),
        Options::ReplacePath(options) => Arc::new(Rewriter(options.clone())),
        Options::ReplacePathRegex(options) => Arc::new(Rewriter(options.clone())),
        Options::Retry(options) => Arc::new(Retry::new(options, supplies)),
        Options::StripPrefix(options) => Arc::new(Rewriter(options.clone())),
        Options::StripPrefixRegex(options) => Arc::new(Rewriter(StripPrefixRegex::new(options)?)),
        Options::TokenPolicy(options) => Arc::new(TokenPolicy::new(options, supplies)),
    })
}
