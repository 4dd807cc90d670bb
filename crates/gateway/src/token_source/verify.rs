//! Tokens looked at before they are believed, with the keys that the authorization server publishes.

use std::sync::Arc;

use super::TokenFault;
use super::token::{Asked, Token, seconds};
use crate::jwks::{Expected, Judge, KeySource, Keys, Kind, Refusal, Trusted};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 60;

/// Judges the tokens of a server.
pub(crate) struct Verifier(Judge);

impl Verifier {
    /// By the keys of this source. `issuer`: `None` is what the metadata says, or anything;
    /// `audience`: empty is anything.
    pub(crate) fn new(source: Arc<dyn KeySource>, issuer: Option<String>, audience: &str) -> Self {
        let expected = Expected {
            issuer,
            audience: Some(audience.to_owned())
                .filter(|audience| !audience.is_empty())
                .into_iter()
                .collect(),
            leeway: LEEWAY,
            needs_end: true,
            kind: Kind::Access,
        };
        Self(Judge::new(Trusted::Fetched(Keys::new(source)), expected))
    }

    /// Whether the token is what it says it is.
    pub(super) async fn check(&self, token: &Token, now: Asked) -> Result<(), TokenFault> {
        match self.0.judge(token.text(), seconds(now.time)).await {
            Ok(_) => Ok(()),
            Err(Refusal::Wrong(sentence)) => Err(TokenFault::NoToken(sentence)),
            Err(Refusal::NoKeys) => Err(TokenFault::Unverifiable),
        }
    }
}
