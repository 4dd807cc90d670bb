//! The options as they are written, for the JSON Schema and the reference; what is read from them
//! has another shape, in which half a pair cannot be said.

#![expect(
    dead_code,
    reason = "no value of these types is ever made: they are written down for their schema"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// `oAuthClientCredentials`, Traefik Hub's: a Bearer token for the caller's Basic credentials
/// (mode A), or for the gateway's own (mode B).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in super::super) struct Written {
    /// Token endpoint, http or https; redirects are not followed. Required.
    url: String,
    /// Form field `audience`. Default: not sent.
    audience: String,
    /// With `clientSecret`: mode B. Default: mode A.
    #[schemars(rename = "clientID")]
    client_id: String,
    /// The secret of `clientID`.
    client_secret: String,
    /// What else shows that the gateway is the client (ours); `{}` beside `clientSecret`: the secret
    /// signs assertions and is not sent (`client_secret_jwt`).
    client_assertion: ClientAssertion,
    /// Form field `scope`, joined by spaces. Default: not sent.
    scopes: Vec<String>,
    /// Form fields `resource`, one by one (RFC 8707; ours). Default: not sent.
    resources: Vec<String>,
    /// More form fields, name to value (ours).
    parameters: BTreeMap<String, String>,
    /// Condition over the token's claims; 403 when it does not hold or the token is opaque. Default:
    /// none.
    claims: String,
    /// Header to claim path; the caller's header is dropped in every spelling, a missing claim
    /// leaves it empty.
    forward_headers: BTreeMap<String, String>,
    /// Claim that the access log shows as `ClientUsername`. Default: none.
    username_claim: String,
    /// How the token endpoint is called.
    client_config: ClientConfig,
    /// Tokens in the gateway's memory (ours).
    cache: Cache,
    /// Tokens that a fleet of gateways shares.
    store: Store,
    /// A 401 of the service to a kept token makes the gateway fetch another and ask once more, where
    /// the request can be repeated (ours). Default false.
    retry_unauthorized: bool,
    /// Where an authorization server tells which tokens it revoked (ours). Default: nowhere.
    revocations: Revocations,
    /// How tokens are verified before they are used (ours). Default: they are believed.
    verify: Verify,
}

/// What shows that the gateway is the client.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in crate::routing::middleware) struct ClientAssertion {
    /// A private key that signs an assertion for each call (`private_key_jwt`): a JWK, or PEM.
    key: String,
    /// What a PEM key signs with. Default: the usual one of its kind.
    algorithm: String,
    /// `kid` of the assertions of a PEM key. Default: none.
    #[schemars(rename = "keyID")]
    key_id: String,
    /// The certificate of a PEM key, as PEM: assertions name it (`x5t#S256`), as Entra ID wants them.
    /// Default: none.
    certificate: String,
    /// An assertion that somebody else signed (RFC 7523), such as the token of a service account.
    token: String,
    /// Whom the signed assertions are for. Default: `url`.
    audience: String,
}

/// How the token endpoint is called.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in crate::routing::middleware) struct ClientConfig {
    /// For the whole exchange, retries included. Default 5.
    timeout_seconds: u32,
    /// After the first attempt, within the provider's budget. Default 3.
    max_retries: u32,
    /// Towards the token endpoint.
    tls: Tls,
}

/// TLS towards a server.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in crate::routing::middleware) struct Tls {
    /// PEM trusted instead of the system's authorities.
    ca: String,
    /// The same as `ca`.
    ca_bundle: String,
    /// The client's certificate as PEM; with a `clientID` and no secret it shows who the client is
    /// (RFC 8705; ours).
    cert: String,
    /// PEM of its key.
    key: String,
    /// Default false.
    insecure_skip_verify: bool,
}

/// Tokens in the gateway's memory.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Cache {
    /// Otherwise the provider is asked for each request. Default true.
    enabled: bool,
    /// Greatest age of a kept token. Default 300s, which is also the most.
    max_age: String,
    /// `onUse` keeps no caller's secret. Default `early`.
    refresh: Refresh,
    /// Header of the response that says `hit`, `miss`, `refreshed` or `refused`. Default: none.
    header: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
enum Refresh {
    Early,
    OnUse,
}

/// Tokens that a fleet of gateways shares.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in crate::routing::middleware) struct Store {
    /// Begins the name of every key. Default: empty.
    key_prefix: String,
    /// Encrypts the tokens: 16, 24 or 32 characters. Required.
    secret: String,
    /// What encrypted them before (ours).
    previous_secrets: Vec<String>,
    /// Where it is. Required.
    redis: Redis,
}

/// A Redis, a cluster of them, or one behind sentinels.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in crate::routing::middleware) struct Redis {
    /// HOST:PORT of each. Required.
    endpoints: Vec<String>,
    /// Default: none.
    username: String,
    /// Default: none.
    password: String,
    /// Of one server, or of that which sentinels name. Default 0.
    database: u16,
    /// The endpoints are nodes of a cluster: `{}`.
    cluster: Cluster,
    /// The endpoints are sentinels.
    sentinel: Sentinel,
    /// Default: connections are not encrypted.
    tls: Tls,
}

/// A cluster has no options.
#[derive(JsonSchema)]
struct Cluster {}

/// Sentinels.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Sentinel {
    /// Name of the set that they watch. Required.
    master_set: String,
    /// Of the sentinels. Default: none.
    username: String,
    /// Of the sentinels. Default: none.
    password: String,
}

/// A stream of revocations.
#[derive(JsonSchema)]
pub(in crate::routing::middleware) struct Revocations {
    /// `http://ADMIN/admin/revocations` of a carnet authorization server. Required.
    url: String,
    /// Token that is sent with the request. Default: none.
    bearer: String,
}

/// How tokens are verified: by exactly one of `jwks` and `discovery`.
#[derive(JsonSchema)]
pub(in crate::routing::middleware) struct Verify {
    /// URL of a set of keys.
    jwks: String,
    /// URL of metadata that name one (RFC 8414).
    discovery: String,
    /// What `iss` must be. Default: what the metadata say, else any.
    issuer: String,
    /// What `aud` must hold. Default: the option `audience`.
    audience: String,
}
