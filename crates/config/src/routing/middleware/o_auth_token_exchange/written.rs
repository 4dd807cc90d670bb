//! The options as they are written, for the JSON Schema and the reference; what is read from them
//! has another shape.

#![expect(
    dead_code,
    reason = "no value of these types is ever made: they are written down for their schema"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::routing::middleware::oauth_client_credentials::written::{
    ClientAssertion, ClientConfig, Revocations, Store, Verify,
};
use crate::routing::middleware::token_source::TokenSource;

/// `oAuthTokenExchange`, Traefik Hub's: the service gets a token that a server gives in the place of
/// the caller's (RFC 8693, or Entra ID's on-behalf-of flow).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in super::super) struct Written {
    /// Token endpoint, http or https; redirects are not followed. Required.
    url: String,
    /// How tokens are exchanged. Default `rfc8693`.
    method: Method,
    /// The gateway at the server. Required.
    #[schemars(rename = "clientID")]
    client_id: String,
    /// Its secret; or `clientAssertion`, `entraID.certificate` or `clientConfig.tls.cert`.
    client_secret: String,
    /// What else shows that the gateway is the client (ours); `{}` beside `clientSecret`: the secret
    /// signs assertions and is not sent (`client_secret_jwt`).
    client_assertion: ClientAssertion,
    /// With `method: rfc8693`.
    rfc8693: Rfc8693,
    /// With `method: entraID`.
    #[schemars(rename = "entraID")]
    entra_id: EntraId,
    /// Where requests carry their tokens. Default: `Authorization: Bearer`.
    token_source: TokenSource,
    /// More form fields, name to value (ours).
    parameters: BTreeMap<String, String>,
    /// Condition over the new token's claims (ours); 403 when it does not hold or the token is opaque.
    /// Default: none.
    claims: String,
    /// Header to claim path of the new token (ours); the caller's header is dropped in every spelling,
    /// a missing claim leaves it empty.
    forward_headers: BTreeMap<String, String>,
    /// Claim of the new token that the access log shows as `ClientUsername` (ours). Default: none.
    username_claim: String,
    /// How the token endpoint is called.
    client_config: ClientConfig,
    /// New tokens in the gateway's memory, none for longer than the caller's is good (ours).
    cache: Cache,
    /// New tokens that a fleet of gateways shares.
    store: Store,
    /// A 401 of the service to a kept token makes the gateway exchange once more, where the request
    /// can be repeated (ours). Default false.
    retry_unauthorized: bool,
    /// Where an authorization server tells which tokens it revoked (ours). Default: nowhere.
    revocations: Revocations,
    /// How new tokens are verified before they are used (ours). Default: they are believed.
    verify: Verify,
}

#[derive(JsonSchema)]
enum Method {
    #[schemars(rename = "rfc8693")]
    Rfc8693,
    #[schemars(rename = "entraID")]
    EntraId,
}

/// What is asked for by RFC 8693.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Rfc8693 {
    /// What callers' tokens are. Default `urn:ietf:params:oauth:token-type:access_token`.
    subject_token_type: String,
    /// What the new token shall be. Default: not sent, and an access token is taken.
    requested_token_type: String,
    /// Form field `audience`. Default: not sent.
    audience: String,
    /// Form field `scope`, joined by spaces (ours). Default: not sent.
    scopes: Vec<String>,
    /// Form fields `resource`, one by one (ours). Default: not sent.
    resources: Vec<String>,
    /// A token of who acts for the caller (ours). Default: none, the gateway acts.
    actor_token: String,
    /// What it is (ours). Default `urn:ietf:params:oauth:token-type:access_token`.
    actor_token_type: String,
}

/// What is asked for of Entra ID.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct EntraId {
    /// Those of the service, like `api://orders/.default`. Required.
    scopes: Vec<String>,
    /// What shows that the gateway is the client, in the place of `clientSecret`. Default: none.
    certificate: Certificate,
}

/// A certificate that is registered with Entra ID; its key signs an assertion for each call (PS256).
#[derive(JsonSchema)]
struct Certificate {
    /// As PEM. Required.
    cert: String,
    /// PEM of its key. Required.
    key: String,
}

/// New tokens in the gateway's memory.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Cache {
    /// Otherwise the server is asked for each request. Default true.
    enabled: bool,
    /// Greatest age of a kept token. Default 300s, which is also the most.
    max_age: String,
    /// Header of the response that says `hit`, `miss` or `refused`. Default: none.
    header: String,
}
