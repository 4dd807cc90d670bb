//! The options as they are written, for the JSON Schema and the reference; what is read from them
//! has another shape.

#![expect(
    dead_code,
    reason = "no value of these types is ever made: they are written down for their schema"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::routing::middleware::dpop::Written as Dpop;
use crate::routing::middleware::oauth_client_credentials::written::Tls;
use crate::routing::middleware::resource_metadata::ResourceMetadata;
use crate::routing::middleware::token_source::TokenSource;

/// `oAuthIntrospection`, Traefik Hub's: only requests pass with a token for which its server vouches
/// (RFC 7662).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in super::super) struct Written {
    /// Where requests carry their tokens. Required.
    token_source: TokenSource,
    /// Who is asked, and how. Required.
    client_config: ClientConfig,
    /// The same as `clientConfig.tokenTypeHint`.
    token_type_hint: String,
    /// With `clientSecret`: Basic credentials of the gateway (ours). Default: none are sent.
    #[schemars(rename = "clientID")]
    client_id: String,
    /// The secret of `clientID`.
    client_secret: String,
    /// What `iss` of the answer must be (ours). Default: any.
    issuer: String,
    /// `aud` of the answer must name one of them (ours). Default: any.
    audience: Vec<String>,
    /// What clients are told of the route (RFC 9728; ours). Default: nothing.
    resource_metadata: ResourceMetadata,
    /// What is asked of proofs beside tokens that are bound to keys (RFC 9449; ours).
    dpop: Dpop,
    /// Whether the service gets the token. Default false.
    forward_authorization: bool,
    /// Scopes of which the token must have each, in `scope` or `scp`; 403 without, and refusals tell
    /// clients of them (RFC 6750; ours). Default: none.
    required_scopes: Vec<String>,
    /// Condition over the claims of the answer; 403 when it does not hold. Default: none.
    claims: String,
    /// Header to claim path; the caller's header is dropped in every spelling, a missing claim leaves
    /// it empty.
    forward_headers: BTreeMap<String, String>,
    /// Claim that the access log shows as `ClientUsername`. Default: none.
    username_claim: String,
    /// For how long answers are believed (ours).
    cache: Cache,
}

/// Who is asked, and how.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct ClientConfig {
    /// Introspection endpoint, http or https; redirects are not followed. Required.
    url: String,
    /// Headers of each question, name to value. Templates are refused.
    headers: BTreeMap<String, String>,
    /// Form field `token_type_hint`. Default: not sent.
    token_type_hint: String,
    /// For the whole question, retries included. Default 5.
    timeout_seconds: u32,
    /// After the first attempt. Default 3.
    max_retries: u32,
    /// Towards the endpoint.
    tls: Tls,
}

/// For how long answers are believed.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Cache {
    /// Of a yes, which no token outlives; 0 asks for each request. Default 60s, at most 300s.
    max_age: String,
    /// Of a no. Default 5s, at most 60s.
    negative_max_age: String,
}
