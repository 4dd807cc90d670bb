//! Middlewares.

use carnet_config::routing::Middleware;
use carnet_config::routing::middleware::o_auth_token_exchange::Method;
use carnet_config::routing::middleware::{OAuthClientCredentials, OAuthTokenExchange};
use serde_json::{Map, Value, json};

use super::plain;

/// What stands for a secret.
const REDACTED: &str = "REDACTED";

/// A middleware's options.
pub(super) fn shown(middleware: Option<&Middleware>) -> Map<String, Value> {
    let Some(middleware) = middleware else {
        return Map::new();
    };
    let key = middleware.kind();
    let options = match middleware {
        Middleware::AddPrefix(options) => json!(options),
        Middleware::ApiKey(options) => json!(options),
        Middleware::BasicAuth(options) => json!(options),
        Middleware::Buffering(options) => json!(options),
        Middleware::Chain(options) => json!(options),
        Middleware::CircuitBreaker(options) => json!(options),
        Middleware::Errors(options) => json!(options),
        Middleware::Compress(options) => json!(options),
        Middleware::ContentType(options) => json!(options),
        Middleware::DigestAuth(options) => json!(options),
        Middleware::EncodedCharacters(options) => json!(options),
        Middleware::ForwardAuth(options) => json!(options),
        Middleware::GrpcWeb(options) => json!(options),
        Middleware::Headers(options) => json!(options),
        Middleware::Hmac(options) => json!(options),
        Middleware::InFlightReq(options) => json!(options),
        Middleware::IpAllowList(options) | Middleware::IpWhiteList(options) => json!(options),
        Middleware::Jwt(options) => json!(options),
        Middleware::OAuthClientCredentials(options) => oauth_client_credentials(options),
        Middleware::OAuthIntrospection(options) => json!(options),
        Middleware::OAuthTokenExchange(options) => o_auth_token_exchange(options),
        Middleware::Oidc(options) => json!(options),
        Middleware::RateLimit(options) => json!(options),
        Middleware::PassTlsClientCert(options) => json!(options),
        Middleware::RedirectRegex(options) => json!(options),
        Middleware::RedirectScheme(options) => json!(options),
        Middleware::ReplacePath(options) => json!(options),
        Middleware::ReplacePathRegex(options) => json!(options),
        Middleware::Retry(options) => json!(options),
        Middleware::StripPrefix(options) => json!(options),
        Middleware::StripPrefixRegex(options) => json!(options),
        Middleware::TokenPolicy(options) => json!(options),
    };
    let kind = json!(key.to_ascii_lowercase());
    Map::from_iter([(key.to_owned(), options), ("type".to_owned(), kind)])
}

/// What it asks for is the method's.
fn o_auth_token_exchange(options: &OAuthTokenExchange) -> Value {
    let mut shown = oauth_client_credentials(&options.client);
    let mut asked = Map::new();
    for name in ["audience", "scopes"] {
        let value = shown.as_object_mut().and_then(|shown| shown.remove(name));
        asked.extend(value.map(|value| (name.to_owned(), value)));
    }
    if let Method::Rfc8693(method) = &options.method {
        asked.insert(
            "subjectTokenType".to_owned(),
            json!(method.subject_token_type),
        );
        let wanted = method.requested_token_type.as_ref();
        asked.extend(wanted.map(|wanted| ("requestedTokenType".to_owned(), json!(wanted))));
    }
    let word = options.method.word();
    shown["method"] = json!(word);
    shown[word] = Value::Object(asked);
    shown["tokenSource"] = json!(options.token_source);
    shown
}

fn oauth_client_credentials(options: &OAuthClientCredentials) -> Value {
    let mut shown = Map::new();
    let mut set = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
    set("url", json!(plain(&options.url)));
    if !options.audience.is_empty() {
        set("audience", json!(options.audience));
    }
    if let Some(own) = &options.credentials {
        set("clientID", json!(own.client_id));
        set("clientSecret", json!(REDACTED));
    }
    if !options.scopes.is_empty() {
        set("scopes", json!(options.scopes));
    }
    if !options.forward_headers.is_empty() {
        let headers = options.forward_headers.iter();
        let headers = headers.map(|(name, claim)| (name.clone(), json!(claim.to_string())));
        set("forwardHeaders", Value::Object(headers.collect()));
    }
    if let Some(claim) = &options.username_claim {
        set("usernameClaim", json!(claim.to_string()));
    }
    let client = &options.client_config;
    set(
        "clientConfig",
        json!({
            "timeoutSeconds": client.timeout.as_secs(),
            "maxRetries": client.max_retries,
            "tls": {"insecureSkipVerify": client.tls.insecure_skip_verify},
        }),
    );
    Value::Object(shown)
}
