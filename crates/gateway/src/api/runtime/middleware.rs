//! Middlewares.

use carnet_config::routing::Middleware;
use carnet_config::routing::middleware::OAuthClientCredentials;
use serde_json::{Map, Value, json};

use super::plain;

/// What stands for a secret.
const REDACTED: &str = "REDACTED";

/// A middleware's options.
pub(super) fn shown(middleware: Option<&Middleware>) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut kind = |key: &str, value: Value| {
        shown.insert(key.to_owned(), value);
        shown.insert("type".to_owned(), json!(key.to_ascii_lowercase()));
    };
    if let Some(Middleware::OAuthClientCredentials(options)) = middleware {
        kind("oAuthClientCredentials", oauth_client_credentials(options));
    }
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
