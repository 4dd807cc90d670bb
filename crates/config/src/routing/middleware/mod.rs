//! `http.middlewares.<name>`: exactly one kind an object, checked when read.
//!
//! To add a kind: a file of its name here with its options and their `read`, a variant of
//! [`Middleware`], a line of [`KINDS`], and its name taken off the list of [`crate::not_yet`].

use crate::diagnostics::Object;
use crate::document::{Fields, Member, Node, Spelling};
use crate::nearest::suggestion;
use crate::not_yet::{self, MIDDLEWARE_KINDS};

mod add_prefix;
mod api_key;
pub mod basic_auth;
pub mod buffering;
mod chain;
pub mod circuit_breaker;
mod claimed;
pub mod compress;
mod content_type;
mod digest_auth;
pub mod dpop;
mod encoded_characters;
mod errors;
pub mod forward_auth;
mod grpc_web;
pub mod headers;
mod hmac;
mod in_flight_req;
mod ip_allow_list;
mod ip_strategy;
pub mod jwt;
mod key_source;
pub mod o_auth_introspection;
pub mod o_auth_token_exchange;
pub mod oauth_client_credentials;
pub mod oidc;
pub mod pass_tls_client_cert;
mod pattern;
mod pem_tls;
pub mod rate_limit;
mod redirect_regex;
mod redirect_scheme;
mod redis;
mod replace_path;
mod replace_path_regex;
mod resource_metadata;
mod retry;
mod schema;
mod source_criterion;
mod strip_prefix;
mod strip_prefix_regex;
pub mod token_policy;
mod token_source;

pub use add_prefix::AddPrefix;
pub use api_key::ApiKey;
pub use basic_auth::BasicAuth;
pub use buffering::Buffering;
pub use chain::Chain;
pub use circuit_breaker::CircuitBreaker;
pub use claimed::Claimed;
pub use compress::Compress;
pub use content_type::ContentType;
pub use digest_auth::DigestAuth;
pub use dpop::Dpop;
pub use encoded_characters::EncodedCharacters;
pub use errors::Errors;
pub use forward_auth::ForwardAuth;
pub use grpc_web::GrpcWeb;
pub use headers::Headers;
pub use hmac::Hmac;
pub use in_flight_req::InFlightReq;
pub use ip_allow_list::IpAllowList;
pub use ip_strategy::IpStrategy;
pub use jwt::Jwt;
pub use key_source::KeySource;
pub use o_auth_introspection::OAuthIntrospection;
pub use o_auth_token_exchange::OAuthTokenExchange;
pub use oauth_client_credentials::OAuthClientCredentials;
pub use oidc::Oidc;
pub use pass_tls_client_cert::PassTlsClientCert;
pub use pem_tls::PemTls;
pub use rate_limit::RateLimit;
pub use redirect_regex::RedirectRegex;
pub use redirect_scheme::RedirectScheme;
pub use replace_path::ReplacePath;
pub use replace_path_regex::ReplacePathRegex;
pub use resource_metadata::ResourceMetadata;
pub use retry::Retry;
pub use schema::{of_files, schemas};
pub use source_criterion::SourceCriterion;
pub use strip_prefix::StripPrefix;
pub use strip_prefix_regex::StripPrefixRegex;
pub use token_policy::TokenPolicy;
pub use token_source::TokenSource;

/// A middleware and its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Middleware {
    /// `addPrefix`.
    AddPrefix(AddPrefix),
    /// `apiKey`.
    ApiKey(ApiKey),
    /// `basicAuth`.
    BasicAuth(BasicAuth),
    /// `buffering`.
    Buffering(Box<Buffering>),
    /// `chain`.
    Chain(Chain),
    /// `circuitBreaker`.
    CircuitBreaker(Box<CircuitBreaker>),
    /// `errors`.
    Errors(Box<Errors>),
    /// `compress`.
    Compress(Compress),
    /// `contentType`.
    ContentType(ContentType),
    /// `digestAuth`.
    DigestAuth(DigestAuth),
    /// `encodedCharacters`.
    EncodedCharacters(EncodedCharacters),
    /// `forwardAuth`.
    ForwardAuth(Box<ForwardAuth>),
    /// `grpcWeb`.
    GrpcWeb(GrpcWeb),
    /// `headers`.
    Headers(Box<Headers>),
    /// `hmac`.
    Hmac(Hmac),
    /// `inFlightReq`.
    InFlightReq(InFlightReq),
    /// `ipAllowList`.
    IpAllowList(IpAllowList),
    /// `ipWhiteList`: the old name of `ipAllowList`.
    IpWhiteList(IpAllowList),
    /// `jwt`.
    Jwt(Box<Jwt>),
    /// `oAuthClientCredentials`.
    OAuthClientCredentials(Box<OAuthClientCredentials>),
    /// `oAuthIntrospection`.
    OAuthIntrospection(Box<OAuthIntrospection>),
    /// `oAuthTokenExchange`.
    OAuthTokenExchange(Box<OAuthTokenExchange>),
    /// `oidc`.
    Oidc(Box<Oidc>),
    /// `passTLSClientCert`.
    PassTlsClientCert(PassTlsClientCert),
    /// `rateLimit`.
    RateLimit(Box<RateLimit>),
    /// `redirectRegex`.
    RedirectRegex(RedirectRegex),
    /// `redirectScheme`.
    RedirectScheme(RedirectScheme),
    /// `replacePath`.
    ReplacePath(ReplacePath),
    /// `replacePathRegex`.
    ReplacePathRegex(ReplacePathRegex),
    /// `retry`.
    Retry(Box<Retry>),
    /// `stripPrefix`.
    StripPrefix(StripPrefix),
    /// `stripPrefixRegex`.
    StripPrefixRegex(StripPrefixRegex),
    /// `tokenPolicy`.
    TokenPolicy(TokenPolicy),
}

impl Middleware {
    /// The key in the configuration: `oAuthClientCredentials`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::ApiKey(_) => "apiKey",
            Self::BasicAuth(_) => "basicAuth",
            Self::Buffering(_) => "buffering",
            Self::Chain(_) => "chain",
            Self::CircuitBreaker(_) => "circuitBreaker",
            Self::Errors(_) => "errors",
            Self::Compress(_) => "compress",
            Self::ContentType(_) => "contentType",
            Self::DigestAuth(_) => "digestAuth",
            Self::EncodedCharacters(_) => "encodedCharacters",
            Self::ForwardAuth(_) => "forwardAuth",
            Self::GrpcWeb(_) => "grpcWeb",
            Self::Headers(_) => "headers",
            Self::Hmac(_) => "hmac",
            Self::InFlightReq(_) => "inFlightReq",
            Self::IpAllowList(_) => "ipAllowList",
            Self::IpWhiteList(_) => "ipWhiteList",
            Self::Jwt(_) => "jwt",
            Self::OAuthClientCredentials(_) => OAUTH_CLIENT_CREDENTIALS,
            Self::OAuthIntrospection(_) => "oAuthIntrospection",
            Self::OAuthTokenExchange(_) => "oAuthTokenExchange",
            Self::Oidc(_) => "oidc",
            Self::PassTlsClientCert(_) => "passTLSClientCert",
            Self::RateLimit(_) => "rateLimit",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::ReplacePath(_) => "replacePath",
            Self::ReplacePathRegex(_) => "replacePathRegex",
            Self::Retry(_) => "retry",
            Self::StripPrefix(_) => "stripPrefix",
            Self::StripPrefixRegex(_) => "stripPrefixRegex",
            Self::TokenPolicy(_) => "tokenPolicy",
        }
    }
}

const OAUTH_CLIENT_CREDENTIALS: &str = "oAuthClientCredentials";

type Read = fn(&mut Fields<'_>) -> Option<Middleware>;

/// The kinds and their readers.
const KINDS: &[(&str, Read)] = &[
    ("addPrefix", |fields| {
        AddPrefix::read(fields).map(Middleware::AddPrefix)
    }),
    ("apiKey", |fields| {
        ApiKey::read(fields).map(Middleware::ApiKey)
    }),
    ("basicAuth", |fields| {
        BasicAuth::read(fields).map(Middleware::BasicAuth)
    }),
    ("buffering", |fields| {
        Some(Middleware::Buffering(Box::new(Buffering::read(fields)?)))
    }),
    ("chain", |fields| Chain::read(fields).map(Middleware::Chain)),
    ("circuitBreaker", |fields| {
        Some(Middleware::CircuitBreaker(Box::new(CircuitBreaker::read(
            fields,
        )?)))
    }),
    ("compress", |fields| {
        Compress::read(fields).map(Middleware::Compress)
    }),
    ("contentType", |fields| {
        ContentType::read(fields).map(Middleware::ContentType)
    }),
    ("digestAuth", |fields| {
        DigestAuth::read(fields).map(Middleware::DigestAuth)
    }),
    ("encodedCharacters", |fields| {
        let allowed = EncodedCharacters::read(fields, false);
        Some(Middleware::EncodedCharacters(allowed))
    }),
    ("errors", |fields| {
        Some(Middleware::Errors(Box::new(Errors::read(fields)?)))
    }),
    ("forwardAuth", |fields| {
        Some(Middleware::ForwardAuth(Box::new(ForwardAuth::read(
            fields,
        )?)))
    }),
    ("grpcWeb", |fields| {
        GrpcWeb::read(fields).map(Middleware::GrpcWeb)
    }),
    ("headers", |fields| {
        Some(Middleware::Headers(Box::new(Headers::read(fields)?)))
    }),
    ("hmac", |fields| Hmac::read(fields).map(Middleware::Hmac)),
    ("inFlightReq", |fields| {
        InFlightReq::read(fields).map(Middleware::InFlightReq)
    }),
    ("ipAllowList", |fields| {
        IpAllowList::read(fields).map(Middleware::IpAllowList)
    }),
    ("ipWhiteList", |fields| {
        IpAllowList::read_old(fields).map(Middleware::IpWhiteList)
    }),
    ("jwt", |fields| {
        Some(Middleware::Jwt(Box::new(jwt::read(fields)?)))
    }),
    (OAUTH_CLIENT_CREDENTIALS, |fields| {
        let options = oauth_client_credentials::read(fields)?;
        Some(Middleware::OAuthClientCredentials(Box::new(options)))
    }),
    ("oAuthIntrospection", |fields| {
        let options = o_auth_introspection::read(fields)?;
        Some(Middleware::OAuthIntrospection(Box::new(options)))
    }),
    ("oAuthTokenExchange", |fields| {
        let options = o_auth_token_exchange::read(fields)?;
        Some(Middleware::OAuthTokenExchange(Box::new(options)))
    }),
    ("oidc", |fields| {
        Some(Middleware::Oidc(Box::new(oidc::read(fields)?)))
    }),
    ("passTLSClientCert", |fields| {
        PassTlsClientCert::read(fields).map(Middleware::PassTlsClientCert)
    }),
    ("rateLimit", |fields| {
        Some(Middleware::RateLimit(Box::new(RateLimit::read(fields)?)))
    }),
    ("redirectRegex", |fields| {
        RedirectRegex::read(fields).map(Middleware::RedirectRegex)
    }),
    ("redirectScheme", |fields| {
        RedirectScheme::read(fields).map(Middleware::RedirectScheme)
    }),
    ("replacePath", |fields| {
        ReplacePath::read(fields).map(Middleware::ReplacePath)
    }),
    ("replacePathRegex", |fields| {
        ReplacePathRegex::read(fields).map(Middleware::ReplacePathRegex)
    }),
    ("retry", |fields| {
        Some(Middleware::Retry(Box::new(Retry::read(fields)?)))
    }),
    ("stripPrefix", |fields| {
        StripPrefix::read(fields).map(Middleware::StripPrefix)
    }),
    ("stripPrefixRegex", |fields| {
        StripPrefixRegex::read(fields).map(Middleware::StripPrefixRegex)
    }),
    ("tokenPolicy", |fields| {
        TokenPolicy::read(fields).map(Middleware::TokenPolicy)
    }),
];

/// Reads the value of `http.middlewares.<name>`, which is also `Middleware.spec` of Kubernetes with
/// its secret references already replaced. `object` is the name in messages. Kinds of Traefik Hub
/// stand below `plugin`, as it wants them, or directly; names match whatever their case.
pub fn read(spec: &Node, object: &str) -> Object<Middleware> {
    let mut fields = Fields::new(spec, object, Spelling::AnyCase);
    let value = kind(&mut fields, true);
    Object {
        value,
        diagnostics: fields.finish(),
    }
}

fn kind(fields: &mut Fields<'_>, plugin_may_follow: bool) -> Option<Middleware> {
    let served = match fields.members() {
        [only] => KINDS.iter().find(|(name, _)| is_called(only, name)),
        _ => None,
    };
    if let Some((name, read)) = served {
        return fields.section(name, *read).flatten();
    }
    match fields.members() {
        [only] if plugin_may_follow && is_called(only, "plugin") => fields
            .section("plugin", |plugin| kind(plugin, false))
            .flatten(),
        members => {
            fields.rest();
            refuse(fields, members, plugin_may_follow);
            None
        }
    }
}

fn refuse(fields: &mut Fields<'_>, members: &[Member], plugin_may_follow: bool) {
    match members {
        // What is no map has been told already.
        [] if !fields.is_map() => {}
        [] => fields.error(
            "",
            format!("names no kind of middleware, like `{OAUTH_CLIENT_CREDENTIALS}`"),
        ),
        [only] => {
            let key = &only.key;
            let later = || not_yet::at(MIDDLEWARE_KINDS);
            let sentence = later().find_map(|keys| {
                let kind = keys.keys.iter().find(|name| is_called(only, name))?;
                Some(keys.sentence(kind))
            });
            let message = match sentence {
                Some(sentence) => format!("the middleware {sentence}"),
                None => {
                    let plugin = plugin_may_follow.then_some("plugin");
                    let served = KINDS.iter().map(|(name, _)| *name).chain(plugin);
                    let names = later().flat_map(|keys| keys.keys.iter().copied());
                    let names = names.chain(served);
                    format!("unknown middleware `{key}`{}", suggestion(key, names))
                }
            };
            fields.error_at(key, &only.key_position, message);
        }
        [_, second, ..] => {
            let names: Vec<_> = members.iter().map(|m| format!("`{}`", m.key)).collect();
            let message = format!(
                "a middleware has one kind, found {}; make several middlewares",
                names.join(", ")
            );
            fields.error_at("", &second.key_position, message);
        }
    }
}

fn is_called(member: &Member, name: &str) -> bool {
    member.key.eq_ignore_ascii_case(name)
}
