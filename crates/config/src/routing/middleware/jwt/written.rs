//! The options as they are written, for the JSON Schema and the reference; what is read from them
//! has another shape.

#![expect(
    dead_code,
    reason = "no value of these types is ever made: they are written down for their schema"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::routing::middleware::dpop::Written as Dpop;
use crate::routing::middleware::oauth_client_credentials::written::ClientConfig;
use crate::routing::middleware::resource_metadata::ResourceMetadata;
use crate::routing::middleware::token_source::TokenSource;

/// `jwt`, Traefik Hub's: only requests pass with a token that somebody signed who is trusted (RFC
/// 7519). Exactly one of `signingSecret`, `publicKey`, `jwksFile`, `jwksUrl` and `discovery` is
/// needed.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in super::super) struct Written {
    /// Verifies HS256, HS384 and HS512; a reference to a Secret may stand here.
    signing_secret: String,
    /// Whether `signingSecret` is base64. Default false.
    #[schemars(rename = "signingSecretBase64Encoded")]
    signing_secret_base64_encoded: bool,
    /// PEM; verifies RS, PS, ES or `EdDSA`, as the key is.
    public_key: String,
    /// A set of keys (RFC 7517), or the path of a file with it, read again when it changes.
    jwks_file: String,
    /// URL of a set of keys; a path is appended to `issuer`.
    jwks_url: String,
    /// Metadata that name a set of keys, by their URL (RFC 8414, OpenID Connect Discovery; ours).
    discovery: String,
    /// What `iss` must be (ours). Default: what the metadata of `discovery` say, else any.
    issuer: String,
    /// `aud` must name one of them (ours). Default: any.
    audience: Vec<String>,
    /// Clocks may differ by so much (ours). Default 60s, at most 300s.
    leeway: String,
    /// Name of a parameter of the query or of a form that may carry the token, too.
    token_key: String,
    /// Where tokens are, instead of `Authorization` and `tokenKey` (ours).
    token_source: TokenSource,
    /// What clients are told of the route (RFC 9728; ours). Default: nothing.
    resource_metadata: ResourceMetadata,
    /// What is asked of proofs beside tokens that are bound to keys (RFC 9449; ours).
    dpop: Dpop,
    /// Whether the service gets the token. Default false.
    forward_authorization: bool,
    /// Scopes of which the token must have each, in `scope` or `scp`; 403 without, and refusals tell
    /// clients of them (RFC 6750; ours). Default: none.
    required_scopes: Vec<String>,
    /// Condition over the token's claims; 403 when it does not hold. Default: none.
    claims: String,
    /// Header to claim path; the caller's header is dropped in every spelling, a missing claim leaves
    /// it empty.
    forward_headers: BTreeMap<String, String>,
    /// Claim that the access log shows as `ClientUsername`. Default: none.
    username_claim: String,
    /// How keys are fetched.
    client_config: ClientConfig,
    /// Tokens that were right, in the gateway's memory (ours).
    cache: Cache,
}

/// Tokens that were right, in the gateway's memory.
#[derive(JsonSchema)]
struct Cache {
    /// Otherwise the signature of each request's token is verified. A token is remembered until its
    /// end, 300 seconds at most, and while the keys stay the same. Default true.
    enabled: bool,
}
