//! Tokens looked at before they are believed: signature, issuer, audience and times, with the keys
//! that the authorization server publishes. Knows no HTTP; `keys.rs` keeps the keys, `http.rs`
//! fetches them.

use std::sync::Arc;
use std::time::Duration;

use carnet_jose::jwt::{self, Claims};
use carnet_jose::{JwkSet, TokenError};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::TokenFault;
use super::token::{Asked, Token, seconds};

mod http;
mod keys;

pub(crate) use http::HttpKeys;
use keys::Keys;

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 60;

/// Where keys come from.
pub(crate) trait KeySource: Send + Sync {
    /// Fetches what is published now. The error is for the log.
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>>;

    /// The longest that a token waits for it.
    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// What an authorization server publishes of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Published {
    pub(crate) keys: JwkSet,
    /// Its name, where its metadata says one.
    pub(crate) issuer: Option<String>,
}

/// What a token must say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// `None`: what the metadata says, or anything.
    pub(crate) issuer: Option<String>,
    /// Empty: anything.
    pub(crate) audience: String,
}

/// Judges tokens.
pub(crate) struct Verifier {
    keys: Keys,
    expected: Expected,
}

impl Verifier {
    pub(crate) fn new(source: Arc<dyn KeySource>, expected: Expected) -> Self {
        Self {
            keys: Keys::new(source),
            expected,
        }
    }

    /// Whether the token is what it says it is.
    pub(super) async fn check(&self, token: &Token, now: Asked) -> Result<(), TokenFault> {
        let (claims, issuer) = self.verified(token).await?;
        self.look(&claims, issuer.as_deref(), seconds(now.time))
            .map_err(|sentence| TokenFault::NoToken(sentence.to_owned()))
    }

    /// The claims of a token with a right signature. Keys that are not known are looked for once
    /// more: they may be new.
    async fn verified(&self, token: &Token) -> Result<(Claims, Option<String>), TokenFault> {
        let published = self.keys.current().await?;
        let published = match jwt::verify(token.text(), &published.keys) {
            Err(TokenError::NoKey) => self.keys.newer_than(&published, token.kid()).await,
            _ => published,
        };
        let claims = jwt::verify(token.text(), &published.keys).map_err(|error| {
            TokenFault::NoToken(format!("the token cannot be verified: {error}"))
        })?;
        Ok((claims, published.issuer.clone()))
    }

    fn look(&self, claims: &Claims, issuer: Option<&str>, now: i64) -> Result<(), &'static str> {
        let wanted = self.expected.issuer.as_deref().or(issuer);
        let said = claims.get("iss").and_then(Value::as_str);
        if wanted.is_some_and(|wanted| said != Some(wanted)) {
            return Err("the token is of another issuer");
        }
        let audience = &self.expected.audience;
        if !audience.is_empty() && !is_for(claims.get("aud"), audience) {
            return Err("the token is for another audience");
        }
        if jwt::time(claims, "exp").is_none_or(|end| end + LEEWAY <= now) {
            return Err("the token has ended, or says no end");
        }
        if jwt::time(claims, "nbf").is_some_and(|begin| begin > now + LEEWAY) {
            return Err("the token has not begun");
        }
        Ok(())
    }
}

fn is_for(aud: Option<&Value>, audience: &str) -> bool {
    match aud {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}
