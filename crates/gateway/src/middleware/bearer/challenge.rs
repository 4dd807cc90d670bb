//! What a refusal says (RFC 6750, section 3): the scheme, and an error only where a token came.

use carnet_jose::Algorithm;
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::{Resource, Scheme};
use crate::body::Response;
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::respond;

/// The answers to requests without the token that is wanted.
#[derive(Debug)]
pub(in crate::middleware) struct Challenge {
    /// Behind what each of them says: the scopes that are wanted, and where clients learn more.
    learn_more: String,
    /// Whether those who sent no proof are told that one does, too.
    offers_proofs: bool,
}

impl Challenge {
    /// `resource` tells clients of the route; they ask for `scopes` then (RFC 6750, section 3).
    pub(in crate::middleware) fn new(
        resource: Option<&Resource>,
        scopes: &[String],
        offers_proofs: bool,
    ) -> Self {
        let mut learn_more = String::new();
        if !scopes.is_empty() {
            learn_more += &format!(", scope=\"{}\"", scopes.join(" "));
        }
        if let Some(resource) = resource {
            learn_more += &format!(", resource_metadata=\"{}\"", resource.url);
        }
        Self {
            learn_more,
            offers_proofs,
        }
    }

    /// The response to a fault.
    pub(in crate::middleware) fn refused(
        &self,
        fault: &Fault,
        scheme: Scheme,
        exchange: &Exchange,
    ) -> Response {
        let mut response = respond::to_fault(fault, exchange);
        let Some(value) = self.value(fault.reason(), scheme) else {
            return response;
        };
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, value);
        // The scheme that was tried tells the error (RFC 9449, section 7.2).
        if self.offers_proofs
            && scheme == Scheme::Bearer
            && fault.reason() != Reason::ClaimsUnsatisfied
            && let Some(other) = self.value(Reason::TokenMissing, Scheme::Dpop)
        {
            headers.append(WWW_AUTHENTICATE, other);
        }
        response
    }

    fn value(&self, reason: Reason, scheme: Scheme) -> Option<HeaderValue> {
        let error = match reason {
            Reason::TokenMissing => None,
            Reason::BadRequest => Some("invalid_request"),
            Reason::TokenInvalid => Some("invalid_token"),
            Reason::ProofInvalid => Some("invalid_dpop_proof"),
            Reason::NonceMissing => Some("use_dpop_nonce"),
            Reason::ClaimsUnsatisfied => Some("insufficient_scope"),
            _ => return None,
        };
        let mut value = match scheme {
            Scheme::Bearer => "Bearer realm=\"carnet\"".to_owned(),
            Scheme::Dpop => {
                let names = Algorithm::ALL.map(Algorithm::name).join(" ");
                format!("DPoP realm=\"carnet\", algs=\"{names}\"")
            }
        };
        if let Some(error) = error {
            value += &format!(", error=\"{error}\"");
        }
        value += &self.learn_more;
        HeaderValue::try_from(value).ok()
    }
}
