//! Configuration of the authorization server, with the keys of Ory Hydra. Field docs are the user
//! reference.
//!
//! [`read()`] takes documents, environment variables and flags, the later ones over the earlier.

use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

mod assertion_issuers;
mod bound;
mod cookies;
mod hook;
mod layers;
mod limits;
mod log;
mod oauth2;
mod people;
mod read;
mod rotation;
mod serve;
mod tls;
mod tracing;

pub use assertion_issuers::{AssertionIssuer, IssuerKeys, Workload};
pub use bound::{Dpop, Mtls};
pub use cookies::{Cookies, SameSite};
pub use hook::{HookKey, HookKeyPlace, TokenHook};
pub use layers::KEYS;
pub use limits::{Guesses, Limits, TokenLimits};
pub use log::{Log, LogFormat};
pub use oauth2::{AssertionAudience, Hasher, JwtGrant, OAuth2};
pub use people::People;
pub use read::read;
pub use rotation::Rotation;
pub use serve::{Cors, Listener, Socket};
pub use tls::{Pem, Tls};
pub use tracing::Tracing;

/// Everything the authorization server knows before it answers. The environment name of a key is
/// its upper case with `_` for each dot: `SERVE_PUBLIC_PORT`; lists are separated by commas there.
#[derive(Debug, Clone)]
pub struct AuthserverConfig {
    /// `dsn`: the database, `memory` or `sqlite://FILE`. Required by whoever opens it. May hold a
    /// password.
    pub dsn: Option<SecretString>,
    /// `dev`: a trial, in which http issuers and short secrets are allowed. Default false.
    pub dev: bool,
    /// `secrets`.
    pub secrets: Secrets,
    /// `serve.public`. Default port 4444.
    pub public: Listener,
    /// `serve.admin`. Default port 4445.
    pub admin: Listener,
    /// `serve.trusted_proxies` (ours): ranges of addresses, as 10.0.0.0/8, of proxies whose
    /// `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// `urls`.
    pub urls: Urls,
    /// `strategies`.
    pub strategies: Strategies,
    /// `ttl.access_token`: how long tokens count, unless their client says otherwise. Default 1 h.
    pub ttl_access_token: Duration,
    /// `oauth2`.
    pub oauth2: OAuth2,
    /// Flows for people.
    pub people: People,
    /// `serve.cookies`.
    pub cookies: Cookies,
    /// `oidc.subject_identifiers.supported_types`. Default `public`.
    pub subject_types: Vec<String>,
    /// `oidc.subject_identifiers.pairwise.salt`: what names that differ from client to client are
    /// made with; whoever changes it gives everybody new names. Required where `supported_types` has
    /// `pairwise`.
    pub pairwise_salt: Option<SecretString>,
    /// `oidc.dynamic_client_registration.default_scope`: scopes of clients created without any.
    /// Default `offline_access`, `offline`, `openid`.
    pub default_scope: Vec<String>,
    /// `webfinger.jwks.broadcast_keys`: key sets published beside those that sign. Default
    /// `hydra.openid.id-token`.
    pub broadcast_keys: Vec<String>,
    /// `webfinger.oidc_discovery`: what the discovery document says differently.
    pub discovery: Discovery,
    /// `jwks.rsa_bits` (ours): size of the RSA keys that the server makes, 2048, 3072 or 4096.
    /// Default 2048; Hydra makes keys of 4096.
    pub rsa_bits: u16,
    /// `jwks.algorithm` (ours): algorithm of the key that the server makes for access tokens when
    /// there is none: `RS256`, `PS256`, `ES256`, `ES384`, `EdDSA`, `ML-DSA-44` and their relatives. Default
    /// `RS256`.
    pub algorithm: String,
    /// `audit.file` (ours): where a line is written for each write of an administrator and each
    /// failed authentication. Default: to the log.
    pub audit_file: Option<String>,
    /// `limits` (ours): how many tokens clients get, and how often secrets may be guessed.
    pub limits: Limits,
    /// `jwks.rotation` (ours): when the key that signs access tokens changes by itself. Default
    /// never: whoever hands the key set out by other ways must hear of a change first.
    pub rotation: Option<Rotation>,
    /// `revocations.limit` (ours): so many tokens are revoked one by one until they end; beyond it
    /// all tokens of the client that has most of them are, that were issued until then. Default
    /// 100000, which take about 20 MB.
    pub revocation_limit: u32,
    /// `revocations.status_list.ttl` (ours), where `revocations.status_list.enabled`: for how long the
    /// lists may be kept in which whoever verifies signed tokens sees which of them were revoked.
    /// Default off; 60s.
    pub status_list: Option<Duration>,
    /// `log`.
    pub log: Log,
    /// `tracing`; absent: nothing is traced. Default off.
    pub tracing: Option<Tracing>,
    /// `serve.drain_delay` (ours): how long the server goes on taking connections after it was told
    /// to end, while `/health/ready` says no. Default 0s.
    pub drain_delay: Duration,
}

/// `secrets`.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// `system`: the first signs and seals, all verify and open. At least 16 characters each,
    /// unless `dev`.
    pub system: Vec<SecretString>,
    /// `cookie`: the first seals the login session that a browser keeps, all open it. Default: those
    /// of `system`.
    pub cookie: Vec<SecretString>,
}

impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        let texts = |secrets: &Self| -> Vec<String> {
            let all = secrets.system.iter().chain(&secrets.cookie);
            all.map(|secret| secret.expose_secret().to_owned())
                .collect()
        };
        self.system.len() == other.system.len() && texts(self) == texts(other)
    }
}

/// `urls`, the first three of them under `self`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls {
    /// `issuer`: the `iss` of tokens, byte for byte. See [`AuthserverConfig::issuer`].
    pub issuer: Option<String>,
    /// `public`: where clients find the public endpoints; the issuer when absent.
    pub public: Option<String>,
    /// `admin`: where the admin endpoints are.
    pub admin: Option<String>,
    /// `login`: the application in which people log in. Default: a page that says there is none.
    pub login: Option<String>,
    /// `consent`: the application in which people consent. Default: a page that says there is none.
    pub consent: Option<String>,
    /// `logout`: the application in which people say that they want to leave. Default: a page that
    /// says there is none.
    pub logout: Option<String>,
    /// `error`: where browsers go with errors that go to no client. Default: a page of the server.
    pub error: Option<String>,
    /// `device.verification`: where people give the codes of devices. Default: a page that says that
    /// there is nothing for this.
    pub device_verification: Option<String>,
    /// `device.success`: where they go once that is done. Default: a page of the server.
    pub device_success: Option<String>,
    /// `post_logout_redirect`: where browsers go after a logout that names no page. Default: a page
    /// of the server.
    pub post_logout_redirect: Option<String>,
}

/// `strategies`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strategies {
    /// `access_token`: `opaque` or `jwt`. Default `opaque`.
    pub access_token: AccessTokenStrategy,
    /// `scope`: `wildcard` or `exact`. Default `wildcard`.
    pub scope: ScopeStrategy,
    /// `jwt.scope_claim`: `list`, `string` or `both`. Default `list`.
    pub scope_claim: ScopeClaim,
    /// `jwt.profile` (ours): `hydra` or `rfc9068`, which has `typ: at+jwt`, `scope` as one text and
    /// always an audience. Default `hydra`.
    pub profile: TokenProfile,
}

/// `strategies.access_token`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessTokenStrategy {
    /// `opaque`: a text that only this server can read.
    #[default]
    Opaque,
    /// `jwt`: a signed text that everybody can read.
    Jwt,
}

/// `strategies.scope`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeStrategy {
    /// `wildcard`: `a.*` allows `a.b`.
    #[default]
    Wildcard,
    /// `exact`.
    Exact,
}

/// `strategies.jwt.scope_claim`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeClaim {
    /// `list`: `scp`, a list.
    #[default]
    List,
    /// `string`: `scope`, a text.
    String,
    /// `both`.
    Both,
}

/// `strategies.jwt.profile`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenProfile {
    /// `hydra`.
    #[default]
    Hydra,
    /// `rfc9068`.
    Rfc9068,
}

/// `webfinger.oidc_discovery`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// `auth_url`: the authorization endpoint.
    pub auth_url: Option<String>,
    /// `token_url`.
    pub token_url: Option<String>,
    /// `userinfo_url`.
    pub userinfo_url: Option<String>,
    /// `device_authorization_url`.
    pub device_authorization_url: Option<String>,
    /// `client_registration_url`.
    pub client_registration_url: Option<String>,
    /// `jwks_url`.
    pub jwks_url: Option<String>,
    /// `supported_claims`, besides `sub`.
    pub supported_claims: Vec<String>,
    /// `supported_scope`, besides those of OpenID.
    pub supported_scope: Vec<String>,
}

impl AuthserverConfig {
    /// `urls.self.issuer`, or what follows from `serve.public` when it is absent.
    pub fn issuer(&self) -> String {
        let derived = || {
            let host = self.public.host.as_deref();
            let host = host.filter(|host| !matches!(*host, "0.0.0.0" | "::"));
            let host = host.filter(|_| self.public.unix_path().is_none());
            let scheme = match self.public.tls {
                Some(_) => "https",
                None => "http",
            };
            let host = match host {
                Some(address) if address.contains(':') => format!("[{address}]"),
                Some(host) => host.to_owned(),
                None => "localhost".to_owned(),
            };
            format!("{scheme}://{host}:{}", self.public.port)
        };
        self.urls.issuer.clone().unwrap_or_else(derived)
    }
}

impl Default for AuthserverConfig {
    fn default() -> Self {
        let texts = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            dsn: None,
            dev: false,
            secrets: Secrets::default(),
            public: Listener::at(4444),
            admin: Listener::at(4445),
            trusted_proxies: Vec::new(),
            urls: Urls::default(),
            strategies: Strategies::default(),
            ttl_access_token: Duration::from_secs(3600),
            oauth2: OAuth2::default(),
            people: People::default(),
            cookies: Cookies::default(),
            subject_types: texts(&["public"]),
            pairwise_salt: None,
            default_scope: texts(&["offline_access", "offline", "openid"]),
            broadcast_keys: texts(&["hydra.openid.id-token"]),
            discovery: Discovery::default(),
            rotation: None,
            revocation_limit: 100_000,
            status_list: None,
            rsa_bits: 2048,
            algorithm: "RS256".to_owned(),
            audit_file: None,
            limits: Limits::default(),
            log: Log::default(),
            tracing: None,
            drain_delay: Duration::ZERO,
        }
    }
}
