//! `forwardHeaders`: claims of a token as headers that a service believes.

use std::collections::BTreeMap;

use carnet_config::claims::{self, ClaimPath};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::lookalikes::remove_lookalikes;

/// Longer values are not sent: servers refuse fields of that size, and no identity has it.
const MAX_VALUE: usize = 8 * 1024;

/// The headers, with the claims they carry.
#[derive(Debug)]
pub(super) struct ClaimHeaders(Vec<(HeaderName, ClaimPath)>);

impl ClaimHeaders {
    /// The error is one sentence.
    pub(super) fn new(forward_headers: &BTreeMap<String, ClaimPath>) -> Result<Self, String> {
        let named = forward_headers
            .iter()
            .map(|(name, path)| match HeaderName::try_from(name) {
                Ok(name) => Ok((name, path.clone())),
                Err(_) => Err(format!("`forwardHeaders`: `{name}` is no name of a header")),
            });
        named.collect::<Result<_, _>>().map(Self)
    }

    /// What they say of the claims of a token. One that is missing leaves its field empty.
    /// Whoever has none does not ask for claims.
    pub(super) fn values<'a>(&self, claims: impl Fn() -> Option<&'a Value>) -> Box<[HeaderValue]> {
        let of = |path: &ClaimPath| claims().and_then(|claims| path.find(claims));
        let Self(named) = self;
        named
            .iter()
            .map(|(_, path)| of(path).map_or_else(empty, value))
            .collect()
    }

    /// Puts values where they belong. The fields are the gateway's: the caller's are removed in every
    /// spelling that a server may read as the same.
    pub(super) fn put(&self, headers: &mut HeaderMap, values: &[HeaderValue]) {
        for ((name, _), value) in self.0.iter().zip(values) {
            remove_lookalikes(headers, name);
            headers.insert(name, value.clone());
        }
    }

    /// Removes what a caller says of them.
    pub(super) fn disown(&self, headers: &mut HeaderMap) {
        for (name, _) in &self.0 {
            remove_lookalikes(headers, name);
        }
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
