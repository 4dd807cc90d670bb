//! What a request carries to the service instead of what the caller sent: the token, and claims of
//! it as headers.

use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use http::header::{AUTHORIZATION, HeaderMap};

use crate::middleware::claim_headers::ClaimHeaders;
use crate::token_source::Token;

/// The headers of `forwardHeaders`, with the claims they carry.
pub(super) struct Stamp(ClaimHeaders);

impl Stamp {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        ClaimHeaders::new(&options.forward_headers).map(Self)
    }

    /// Puts the token in the place of what the caller sent, and the headers of its claims.
    pub(super) fn put(&self, headers: &mut HeaderMap, token: &Token) {
        let values = token.values(|| self.0.values(|| token.claims.as_ref()));
        self.0.put(headers, values);
        headers.insert(AUTHORIZATION, token.bearer.clone());
    }

    /// Takes out what the caller sent in the place of claims.
    pub(super) fn disown(&self, headers: &mut HeaderMap) {
        self.0.disown(headers);
    }
}
