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
}

impl Challenge {
    /// `resource` tells clients of the route; they ask for `scopes` then (RFC 6750, section 3).
    pub(in crate::middleware) fn new(resource: Option<&Resource>, scopes: &[String]) -> Self {
        let mut learn_more = String::new();
        if !scopes.is_empty() {
            learn_more += &format!(", scope=\"{}\"", scopes.join(" "));
        }
        if let Some(resource) = resource {
            learn_more += &format!(", resource_metadata=\"{}\"", resource.url);
        }
        Self { learn_more }
    }

    /// The response to a fault.
    pub(in crate::middleware) fn refused(
        &self,
        fault: &Fault,
        scheme: Scheme,
        exchange: &Exchange,
    ) -> Response {
        let mut response = respond::to_fault(fault, exchange);
        if let Some(value) = self.value(fault.reason(), scheme) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }

    fn value(&self, reason: Reason, scheme: Scheme) -> Option<HeaderValue> {
        let error = match reason {
            Reason::TokenMissing => None,
            Reason::BadRequest => Some("invalid_request"),
            Reason::TokenInvalid => Some("invalid_token"),
            Reason::ProofInvalid => Some("invalid_dpop_proof"),
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
