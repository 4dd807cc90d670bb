//! What `/api` tells of the tokens that are kept: whose they are and for how long, never a token.

use serde_json::{Value, json};

use crate::token_source::CachedToken;

/// An item each, named after its client.
pub(super) fn shown(tokens: &[CachedToken]) -> Vec<Value> {
    tokens.iter().map(item).collect()
}

fn item(token: &CachedToken) -> Value {
    json!({
        "name": token.client_id,
        "provider": token.provider,
        "audience": token.audience,
        "scopes": token.scopes,
        "ageSeconds": token.age.as_secs(),
        "secondsLeft": token.time_left.as_secs(),
        "idleSeconds": token.idle.as_secs(),
    })
}
