//! The options as they are written, for the JSON Schema and the reference; what is read from them
//! has another shape.

#![expect(
    dead_code,
    reason = "no value of these types is ever made: they are written down for their schema"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::routing::middleware::oauth_client_credentials::written::{Redis, Tls};

/// `oidc`, Traefik Hub's: only people pass who logged in at an OpenID provider; the gateway keeps
/// their session. What it needs to seal sessions is `clientSecret` or `session.secret`.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(in super::super) struct Written {
    /// The provider: its discovery document lies under this URL, http or https. Required.
    issuer: String,
    /// What the gateway is called there. Required.
    #[schemars(rename = "clientID")]
    client_id: String,
    /// Its secret there; a reference to a Secret may stand here. Default: a public client.
    client_secret: String,
    /// Where the provider sends people back to: a path of the host that was asked, or a URL; a router
    /// with this middleware must match it. Required.
    redirect_url: String,
    /// Whoever asks for it is sent to log in, and others without a session get 401. Default: a page
    /// asked for without a session is answered with the way to the provider, anything else with 401.
    login_url: String,
    /// Whoever asks for it is logged out. Default: nothing logs out.
    logout_url: String,
    /// Where the provider says who has logged out there (OpenID Connect Back-Channel Logout); needs
    /// `session.store`. Default: it ends no sessions here.
    backchannel_logout_url: String,
    /// Where people go after they logged in. Default: to what they had asked for.
    post_login_redirect_url: String,
    /// Where people go after they logged out. Default: the provider decides.
    post_logout_redirect_url: String,
    /// Whether nobody is sent to log in: 401 without a session. Default false.
    disable_login: bool,
    /// What the provider is asked for; `openid` is added. Default `openid`.
    scopes: Vec<String>,
    /// More parameters of the authorization request, name to value.
    auth_params: BTreeMap<String, String>,
    /// Parameters of the request for the discovery document, name to value.
    discovery_params: BTreeMap<String, String>,
    /// Whether codes are bound to who asked for them (RFC 7636). Default true.
    pkce: bool,
    /// What a browser keeps while its person logs in.
    state_cookie: StateCookie,
    /// What it keeps afterwards.
    session: Session,
    /// `{}`: requests that change something need the value of a cookie in a header, too. Default:
    /// they do not.
    csrf: Csrf,
    /// Name of a middleware that judges requests with a bearer token in `Authorization` (ours): a `jwt`,
    /// `oAuthIntrospection`, `forwardAuth` or `apiKey`, or a `chain` with one; in Kubernetes as in a
    /// route, or its name alone. Default: a token is no session.
    bearer: String,
    /// Condition over the claims of the ID token; 403 when it does not hold. Default: none.
    claims: String,
    /// Header to claim path; the caller's header is dropped in every spelling, a missing claim leaves
    /// it empty.
    forward_headers: BTreeMap<String, String>,
    /// Claim that the access log shows as `ClientUsername`. Default: none.
    username_claim: String,
    /// How the provider is asked.
    client_config: ClientConfig,
}

/// What a browser keeps while its person logs in.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct StateCookie {
    /// Default: made from the name of the middleware.
    name: String,
    /// Default `/`.
    path: String,
    /// Default: the host that was asked.
    domain: String,
    /// Seconds in which people log in. Default 600.
    max_age: u32,
    /// Default `lax`.
    same_site: SameSite,
    /// Not for scripts. Default true.
    http_only: bool,
    /// Only over TLS. Default false.
    secure: bool,
}

/// A session and its cookie.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Session {
    /// Default: made from the name of the middleware.
    name: String,
    /// Default `/`.
    path: String,
    /// Default: the host that was asked.
    domain: String,
    /// Seconds that a session lives. Default 86400.
    expiry: u32,
    /// Whether it lives on while it is used. Default true.
    sliding: bool,
    /// Whether tokens are renewed before they end, where the provider gives what renews them. Default
    /// true.
    refresh: bool,
    /// Default `lax`.
    same_site: SameSite,
    /// Not for scripts. Default true.
    http_only: bool,
    /// Only over TLS. Default false.
    secure: bool,
    /// Seals the cookies, 32 bytes at least (ours). Default: `clientSecret` does.
    secret: String,
    /// Keeps the sessions, and browsers an id of them. Default: browsers keep them.
    store: Store,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
enum SameSite {
    None,
    Lax,
    Strict,
}

/// Keeps the sessions.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Store {
    /// Begins the name of every key. Default: empty.
    key_prefix: String,
    /// Encrypts the sessions: 16, 24 or 32 characters. Default: what seals the cookies.
    secret: String,
    /// What encrypted them before (ours).
    previous_secrets: Vec<String>,
    /// Where it is. Required.
    redis: Redis,
}

/// Against forms of other sites.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Csrf {
    /// Whether the cookie is for TLS alone. Default false.
    secure: bool,
    /// Header that carries its value. Default `TraefikHub-Csrf-Token`.
    header_name: String,
    /// Name of the cookie (ours). Default `traefikee-csrf-token`.
    cookie_name: String,
}

/// How the provider is asked.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct ClientConfig {
    /// For a whole exchange, retries included. Default 5.
    timeout_seconds: u32,
    /// After the first attempt at its discovery document and its keys; codes are sent once. Default
    /// 3.
    max_retries: u32,
    /// Towards the provider.
    tls: Tls,
}
