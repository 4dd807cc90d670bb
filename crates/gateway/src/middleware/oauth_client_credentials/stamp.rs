//! What a request carries to the service instead of what the caller sent: the token, and claims of
//! it as headers.

use carnet_config::claims::{self, ClaimPath};
use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::middleware::lookalikes::remove_lookalikes;
use crate::token_source::Token;

/// Longer values are not sent: servers refuse fields of that size, and no identity has it.
const MAX_VALUE: usize = 8 * 1024;

/// The headers of `forwardHeaders`, with the claims they carry.
pub(super) struct Stamp(Vec<(HeaderName, ClaimPath)>);

impl Stamp {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let named =
            options
                .forward_headers
                .iter()
                .map(|(name, path)| match HeaderName::try_from(name) {
                    Ok(name) => Ok((name, path.clone())),
                    Err(_) => Err(format!("`forwardHeaders`: `{name}` is no name of a header")),
                });
        named.collect::<Result<_, _>>().map(Self)
    }

    /// Puts the token in the place of what the caller sent. The fields of `forwardHeaders` are the
    /// gateway's: the caller's are removed in every spelling that a server may read as the same,
    /// and a claim that is missing leaves the field empty.
    pub(super) fn put(&self, headers: &mut HeaderMap, token: &Token) {
        let claims = token.claims.as_ref();
        let of = |path: &ClaimPath| claims.and_then(|claims| path.find(claims));
        let make = || {
            self.0
                .iter()
                .map(|(_, path)| of(path).map_or_else(empty, value))
        };
        let values = token.values(|| make().collect());
        for ((name, _), value) in self.0.iter().zip(values) {
            remove_lookalikes(headers, name);
            headers.insert(name, value.clone());
        }
        headers.insert(AUTHORIZATION, token.bearer.clone());
    }
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
