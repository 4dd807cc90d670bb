//! What is asked of the claims of a token that is right, and what the service gets of them.

use carnet_config::claims::{self, ClaimPath, Expression};
use carnet_config::routing::middleware::Claimed as Options;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::{Known, Place, Told};
use crate::body::Request;
use crate::middleware::claim_headers::ClaimHeaders;

/// `requiredScopes`, `claims`, `forwardHeaders`, `usernameClaim` and `forwardAuthorization`.
#[derive(Debug)]
pub(in crate::middleware) struct Claimed {
    required_scopes: Vec<String>,
    condition: Option<Expression>,
    headers: ClaimHeaders,
    username: Option<ClaimPath>,
    /// Whether the service gets the token.
    forwards_token: bool,
}

/// What they make of the claims of one token.
#[derive(Debug)]
pub(in crate::middleware) struct Stamped {
    pub(in crate::middleware) claims: Told,
    /// Whether it has the scopes, and the condition holds.
    pub(in crate::middleware) is_admitted: bool,
    pub(in crate::middleware) username: Option<String>,
    headers: Box<[HeaderValue]>,
}

impl Claimed {
    /// The error is one sentence.
    pub(in crate::middleware) fn new(options: &Options) -> Result<Self, String> {
        Ok(Self {
            required_scopes: options.required_scopes.clone(),
            condition: options.claims.clone(),
            headers: ClaimHeaders::new(&options.forward_headers)?,
            username: options.username_claim.clone(),
            forwards_token: options.forward_authorization,
        })
    }

    pub(in crate::middleware) fn stamp(&self, claims: Told) -> Stamped {
        let username = self.username.as_ref();
        let username = username.and_then(|path| path.find(claims.value()));
        let holds = |condition: &Expression| condition.holds(claims.value());
        Stamped {
            is_admitted: self.has_scopes(&claims) && self.condition.as_ref().is_none_or(holds),
            username: username.map(claims::text).filter(|name| !name.is_empty()),
            headers: self.headers.values(|| Some(claims.value())),
            claims,
        }
    }

    /// Whether a token was given all scopes that are wanted: as a text (RFC 9068, section 2.2.3.1) or a
    /// list, by either name.
    fn has_scopes(&self, claims: &Told) -> bool {
        let has = |wanted: &str| {
            let of = |name: &str| match &claims.value()[name] {
                Value::String(text) => text.split(' ').any(|scope| scope == wanted),
                Value::Array(list) => list.iter().any(|scope| scope == wanted),
                _ => false,
            };
            of("scope") || of("scp")
        };
        self.required_scopes.iter().all(|wanted| has(wanted))
    }

    /// Makes a request what the service gets: without the token, unless it is to have it, and with
    /// claims in the place of what the caller sent.
    pub(in crate::middleware) fn admit(&self, request: &mut Request, known: &Known, place: &Place) {
        if !self.forwards_token {
            place.take_off(request);
        }
        self.put(request.headers_mut(), &known.stamped);
    }

    /// Puts claims in the place of what the caller sent.
    pub(in crate::middleware) fn put(&self, headers: &mut HeaderMap, stamped: &Stamped) {
        self.headers.put(headers, &stamped.headers);
    }

    /// Takes out what the caller sent in the place of claims.
    pub(in crate::middleware) fn disown(&self, headers: &mut HeaderMap) {
        self.headers.disown(headers);
    }
}
