//! What the server is told at start. The defaults are Hydra's, but for the size of RSA keys.

mod assertion_issuer;
mod bound;
mod cookies;
mod hook;
mod limits;
mod people;

use std::{path::PathBuf, time::Duration};

use carnet_jose::{Algorithm, RsaBits};
use carnet_oauth::{client_assertion::AssertionAudience, scope};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{domain::Rotation, http::serve::TlsError, ports::Ports};
pub use assertion_issuer::{AssertionIssuer, Endpoint, IssuerKeys, Workload};
pub use bound::{Dpop, Mtls};
pub use cookies::{Cookies, SameSite};
pub use hook::{HookKey, HookKeyPlace, TokenHook};
pub use limits::{Guesses, Limits};
pub use people::People;

/// A system secret must have so many characters.
const MIN_SECRET_LENGTH: usize = 16;

/// The subject type of clients that must not find a person at another client again.
pub(crate) const PAIRWISE: &str = "pairwise";

/// How the server is set up. Each field names the key of Hydra's configuration that it stands for.
#[derive(Debug, Clone)]
pub struct Options {
    /// `urls.self.issuer`: the `iss` of tokens, byte for byte.
    pub issuer: String,
    /// `urls.self.public`: where clients find the public endpoints; the issuer when absent.
    pub public_url: Option<String>,
    /// `strategies.access_token`: what a token is, unless the client has a strategy of its own.
    pub access_token_strategy: AccessTokenStrategy,
    /// `oauth2.client_assertion.strict_audience` (ours): how strictly a client assertion must be for
    /// this server.
    pub assertion_audience: AssertionAudience,
    /// `oauth2.client_assertion.issuers` (ours): platforms whose tokens stand for clients that have
    /// no secret.
    pub assertion_issuers: Vec<AssertionIssuer>,
    /// `strategies.scope`: how scopes are matched.
    pub scope_strategy: scope::Strategy,
    /// `strategies.jwt.scope_claim`: how a JWT carries its scopes.
    pub scope_claim: ScopeClaim,
    /// `strategies.jwt.profile` (ours): what a JWT looks like.
    pub token_profile: TokenProfile,
    /// `ttl.access_token`: how long a token counts, unless the client has a lifetime of its own.
    pub ttl_access_token: Duration,
    /// `oauth2.exclude_not_before_claim`: whether a JWT has no `nbf`.
    pub exclude_not_before_claim: bool,
    /// `oauth2.allowed_top_level_claims`: extra claims that a JWT also has at its top.
    pub allowed_top_level_claims: Vec<String>,
    /// `oauth2.mirror_top_level_claims`: whether a JWT has `ext`, with all extra claims.
    pub mirror_top_level_claims: bool,
    /// `oauth2.preserve_ext_claims`: whether a JWT without that mirror has `ext` with the extra
    /// claims that are not at its top.
    pub preserve_ext_claims: bool,
    /// `oauth2.token_hook`: who is asked before a token is made.
    pub token_hook: Option<TokenHook>,
    /// `oauth2.refresh_token_hook`: who is asked first where tokens take the place of others.
    pub refresh_token_hook: Option<TokenHook>,
    /// `oauth2.grant.jwt`: what assertions of trusted issuers may be like.
    pub jwt_grant: JwtGrant,
    /// Flows for people.
    pub people: People,
    /// `oauth2.mtls` (ours).
    pub mtls: Mtls,
    /// `oauth2.dpop` (ours).
    pub dpop: Dpop,
    /// `serve.cookies`.
    pub cookies: Cookies,
    /// `dev`: a trial, whose cookies need no https and are called so.
    pub is_trial: bool,
    /// `limits` (ours): who gets how much.
    pub limits: Limits,
    /// `audit.file` (ours): where the audit log goes; to the log of the process when absent.
    pub audit_file: Option<PathBuf>,
    /// `serve.trusted_proxies` (ours): whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `oauth2.client_credentials.default_grant_allowed_scope`: whether a client that asks for no
    /// scope gets all of its own.
    pub default_grant_allowed_scope: bool,
    /// `oidc.dynamic_client_registration.default_scope`: the scopes of clients registered without.
    pub default_scope: Vec<String>,
    /// `oidc.subject_identifiers.supported_types`.
    pub subject_types: Vec<String>,
    /// `oidc.subject_identifiers.pairwise.salt`: what names that differ from client to client are
    /// made with.
    pub pairwise_salt: Option<SecretString>,
    /// `secrets.system`: the first one seals and signs, all of them open and verify. Without any,
    /// one is made for the life of the process.
    pub system_secrets: Vec<SecretString>,
    /// `secrets.cookie`: the same for the login session that a browser keeps; the system secrets when
    /// empty.
    pub cookie_secrets: Vec<SecretString>,
    /// `oauth2.hashers.pbkdf2.iterations`: the cost of the hash of secrets that people chose.
    pub pbkdf2_iterations: u32,
    /// `oauth2.hashers.bcrypt.cost` where `hashers.algorithm` is `bcrypt`: secrets that people chose
    /// are hashed so; `None`: by PBKDF2.
    pub bcrypt_cost: Option<u32>,
    /// How many slow hashes are computed at a time: failed authentications use no more processors.
    pub hashing_threads: usize,
    /// The size of RSA keys that the server makes.
    pub rsa_bits: RsaBits,
    /// `jwks.algorithm` (ours): the algorithm of the key that the server makes for access tokens when
    /// there is none.
    pub algorithm: Algorithm,
    /// `jwks.rotation` (ours): when keys that sign access tokens change; never by themselves when
    /// absent.
    pub rotation: Option<Rotation>,
    /// `revocations.limit` (ours): so many tokens are revoked one by one; beyond it all tokens of the
    /// client that has most of them are.
    pub revocation_limit: usize,
    /// `revocations.status_list` (ours): for how long a list of revoked tokens may be kept by those who
    /// fetch it; no lists when absent.
    pub status_list: Option<Duration>,
    /// `webfinger.jwks.broadcast_keys`: key sets that are published besides the two that sign.
    pub broadcast_keys: Vec<String>,
    /// `webfinger.oidc_discovery`: what the discovery document says differently.
    pub discovery: Discovery,
    /// `serve.public.cors`: which web pages may call the public port; none when absent.
    pub public_cors: Option<Cors>,
    /// `serve.admin.cors`: the same for the admin port.
    pub admin_cors: Option<Cors>,
    /// `serve`: how the two ports are served.
    pub ports: Ports,
    /// When a failed client authentication is answered, counted from its arrival.
    pub failed_authentication_after: Duration,
    /// What `/version` says.
    pub version: String,
}

/// Which web pages may call a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// `allowed_origins`: origins; `*` in one stands for a part of its host, alone for all origins.
    pub allowed_origins: Vec<String>,
    /// `allowed_methods`.
    pub allowed_methods: Vec<String>,
    /// `allowed_headers`; `*` for all.
    pub allowed_headers: Vec<String>,
    /// `exposed_headers`: what pages may read of an answer.
    pub exposed_headers: Vec<String>,
    /// `allow_credentials`; never where all origins are allowed.
    pub allow_credentials: bool,
    /// `max_age`: how long a browser may remember a preflight; its own default when zero.
    pub max_age: Duration,
}

/// What an access token is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessTokenStrategy {
    /// A random text that only this server can read, one row in the database.
    #[default]
    Opaque,
    /// A signed text that everybody can read, no row.
    Jwt,
}

/// How a JWT carries its scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeClaim {
    /// `scp`, a list.
    #[default]
    List,
    /// `scope`, one text.
    String,
    /// Both.
    Both,
}

/// What a JWT looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenProfile {
    /// As Hydra's: `typ: JWT`, scopes as `scope_claim` says, `ext`.
    #[default]
    Hydra,
    /// As RFC 9068 says: `typ: at+jwt`, `scope` as one text, always an audience.
    Rfc9068,
}

/// `oauth2.grant.jwt`: what assertions of trusted issuers may be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwtGrant {
    /// `jti_optional`: one without `jti` is taken, and may come again.
    pub jti_optional: bool,
    /// `iat_optional`: one need not say when it was made.
    pub iat_optional: bool,
    /// `max_ttl`: how long one may count from its making to its end.
    pub max_ttl: Duration,
    /// `omit_assertion_audience`: its audience is not one of its token.
    pub omit_assertion_audience: bool,
}

impl Default for JwtGrant {
    fn default() -> Self {
        Self {
            jti_optional: false,
            iat_optional: false,
            max_ttl: Duration::from_secs(720 * 3600),
            omit_assertion_audience: true,
        }
    }
}

/// What the discovery document says differently.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// `auth_url`.
    pub auth_url: Option<String>,
    /// `userinfo_url`.
    pub userinfo_url: Option<String>,
    /// `device_authorization_url`.
    pub device_authorization_url: Option<String>,
    /// `client_registration_url`.
    pub client_registration_url: Option<String>,
    /// `token_url`.
    pub token_url: Option<String>,
    /// `jwks_url`.
    pub jwks_url: Option<String>,
    /// `supported_claims`, besides `sub`.
    pub supported_claims: Vec<String>,
    /// `supported_scope`, besides the three of OpenID.
    pub supported_scope: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:4444".to_owned(),
            public_url: None,
            access_token_strategy: AccessTokenStrategy::default(),
            assertion_audience: AssertionAudience::default(),
            assertion_issuers: Vec::new(),
            scope_strategy: scope::Strategy::default(),
            scope_claim: ScopeClaim::default(),
            token_profile: TokenProfile::default(),
            ttl_access_token: Duration::from_secs(3600),
            exclude_not_before_claim: false,
            allowed_top_level_claims: Vec::new(),
            mirror_top_level_claims: true,
            preserve_ext_claims: false,
            token_hook: None,
            refresh_token_hook: None,
            jwt_grant: JwtGrant::default(),
            people: People::default(),
            mtls: Mtls::default(),
            dpop: Dpop::default(),
            cookies: Cookies::default(),
            is_trial: false,
            limits: Limits::default(),
            audit_file: None,
            trusted_proxies: Vec::new(),
            default_grant_allowed_scope: false,
            default_scope: texts(&["offline_access", "offline", "openid"]),
            subject_types: texts(&["public"]),
            pairwise_salt: None,
            system_secrets: Vec::new(),
            cookie_secrets: Vec::new(),
            pbkdf2_iterations: 25_000,
            bcrypt_cost: None,
            hashing_threads: 1,
            rsa_bits: RsaBits::B2048,
            algorithm: Algorithm::Rs256,
            rotation: None,
            revocation_limit: 100_000,
            status_list: None,
            broadcast_keys: texts(&["hydra.openid.id-token"]),
            discovery: Discovery::default(),
            public_cors: None,
            admin_cors: None,
            ports: Ports::default(),
            failed_authentication_after: Duration::from_millis(50),
            version: format!("v{}", env!("CARGO_PKG_VERSION")),
        }
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A setting that the server does not start with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The issuer is no URL, or has a query or a fragment (RFC 8414, section 2).
    #[error("urls.self.issuer: {0:?} must be an http or https URL without a query and a fragment")]
    Issuer(String),
    /// The issuer is not https.
    #[error("urls.self.issuer: {0:?} is not https; use an https URL, or --dev for a trial")]
    InsecureIssuer(String),
    /// There is no system secret.
    #[error("secrets.system: set a secret of at least 16 characters, or use --dev for a trial")]
    NoSecret,
    /// A system secret is too short. Which one, counted from 0.
    #[error(
        "secrets.system.{0}: shorter than 16 characters; use a longer one, or --dev for a trial"
    )]
    ShortSecret(usize),
    /// Names that differ from client to client cannot be made.
    #[error(
        "oidc.subject_identifiers.pairwise.salt: set one, or leave `pairwise` out of supported_types"
    )]
    NoSalt,
    /// A platform that is to vouch for workloads cannot be believed: its issuer, and why.
    #[error("oauth2.client_assertion.issuers: {0}: {1}")]
    AssertionIssuer(String, &'static str),
    /// TLS of a port, `public` or `admin`, cannot be spoken.
    #[error("serve.{0}.tls.{1}")]
    Tls(&'static str, TlsError),
}

impl Options {
    /// Whether the server may start with these settings; `dev` lets a trial do without https and
    /// good secrets. Keys under 2048 bits cannot even be said ([`RsaBits`]).
    ///
    /// # Errors
    /// The first setting that is refused.
    pub fn check(&self, dev: bool) -> Result<(), OptionsError> {
        let issuer = || self.issuer.clone();
        let url = url::Url::parse(&self.issuer).map_err(|_| OptionsError::Issuer(issuer()))?;
        if !matches!(url.scheme(), "http" | "https")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(OptionsError::Issuer(issuer()));
        }
        let is_pairwise = self.subject_types.iter().any(|name| name == PAIRWISE);
        if is_pairwise && self.pairwise_salt.is_none() {
            return Err(OptionsError::NoSalt);
        }
        for issuer in &self.assertion_issuers {
            if let Some(problem) = issuer.problem() {
                let name = issuer.issuer.clone();
                return Err(OptionsError::AssertionIssuer(name, problem));
            }
        }
        if dev {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(OptionsError::InsecureIssuer(issuer()));
        }
        if self.system_secrets.is_empty() {
            return Err(OptionsError::NoSecret);
        }
        let is_short =
            |secret: &SecretString| secret.expose_secret().chars().count() < MIN_SECRET_LENGTH;
        match self.system_secrets.iter().position(is_short) {
            Some(at) => Err(OptionsError::ShortSecret(at)),
            None => Ok(()),
        }
    }

    /// Whether cookies go over https alone: browsers reach the server so, or they shall.
    pub(crate) fn is_secure(&self) -> bool {
        match self.is_trial {
            true => self.cookies.secure,
            false => self.public_base().starts_with("https:"),
        }
    }

    /// Which other sites may send people here with their cookies.
    pub(crate) fn same_site(&self) -> SameSite {
        match self.cookies.same_site {
            // Browsers drop a cookie for all sites that is not secure.
            None | Some(SameSite::None) if !self.is_secure() => SameSite::Lax,
            None => SameSite::None,
            Some(told) => told,
        }
    }

    /// The token endpoint, as discovery names it.
    pub(crate) fn token_endpoint(&self) -> String {
        let named = self.discovery.token_url.clone();
        named.unwrap_or_else(|| format!("{}/oauth2/token", self.public_base()))
    }

    /// Where a path of the public port is, in every spelling.
    pub(crate) fn endpoints(&self, path: &str) -> Vec<String> {
        let bases = [
            Some(self.public_base()),
            Some(self.issuer_base()),
            self.mtls.base(),
        ];
        let bases = bases.into_iter().flatten();
        bases.map(|base| format!("{base}{path}")).collect()
    }

    /// Whether a platform vouches for workloads that are this client.
    pub(crate) fn has_workload(&self, client_id: &str) -> bool {
        let workloads = self
            .assertion_issuers
            .iter()
            .flat_map(|issuer| &issuer.clients);
        workloads
            .into_iter()
            .any(|workload| workload.client_id == client_id)
    }

    /// The public URL, without a slash at its end.
    pub(crate) fn public_base(&self) -> &str {
        let url = self.public_url.as_deref().unwrap_or(&self.issuer);
        url.strip_suffix('/').unwrap_or(url)
    }

    /// The issuer, without a slash at its end.
    pub(crate) fn issuer_base(&self) -> &str {
        self.issuer.strip_suffix('/').unwrap_or(&self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(issuer: &str, secrets: &[&str]) -> Options {
        Options {
            issuer: issuer.to_owned(),
            system_secrets: secrets.iter().map(|&text| text.into()).collect(),
            ..Options::default()
        }
    }

    // Holds MD-04.
    #[test]
    fn insecure_settings_need_the_trial_mode() {
        let long = "0123456789abcdef";
        for (options, strict, dev) in [
            (options("https://i.example", &[long]), None, None),
            (
                options("http://i.example", &[long]),
                Some(OptionsError::InsecureIssuer("http://i.example".to_owned())),
                None,
            ),
            (
                options("https://i.example", &[]),
                Some(OptionsError::NoSecret),
                None,
            ),
            (
                options("https://i.example", &[long, "short"]),
                Some(OptionsError::ShortSecret(1)),
                None,
            ),
            (
                options("https://i.example?x=1", &[long]),
                Some(OptionsError::Issuer("https://i.example?x=1".to_owned())),
                Some(OptionsError::Issuer("https://i.example?x=1".to_owned())),
            ),
        ] {
            assert_eq!(options.check(false).err(), strict, "{}", options.issuer);
            assert_eq!(options.check(true).err(), dev, "{}", options.issuer);
        }
    }

    #[test]
    fn debug_output_hides_system_secrets() {
        let text = format!("{:?}", options("https://i", &["canary-canary-canary"]));
        assert!(!text.contains("canary"), "{text}");
    }
}
