//! `oauth2`: the grant, the claims, the hashes.

use std::time::Duration;

use super::assertion_issuers::{self, AssertionIssuer};
use super::hook::{self, TokenHook};
use super::people::People;
use super::read::ADVICE;
use crate::diagnostics::Severity;
use crate::document::Fields;

/// `oauth2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// `client_credentials.default_grant_allowed_scope`: a request without scopes gets all of its
    /// client's. Default false.
    pub default_grant_allowed_scope: bool,
    /// `client_assertion.strict_audience` (ours): client assertions must be for the issuer alone, not
    /// for the token endpoint. Default false.
    pub strict_assertion_audience: bool,
    /// `client_assertion.issuers` (ours): platforms whose tokens stand for clients that have no
    /// secret. Default none.
    pub assertion_issuers: Vec<AssertionIssuer>,
    /// `exclude_not_before_claim`: JWTs have no `nbf`. Default false.
    pub exclude_not_before_claim: bool,
    /// `mirror_top_level_claims`: JWTs have `ext`. Default true.
    pub mirror_top_level_claims: bool,
    /// `allowed_top_level_claims`: extra claims that also stand at the top. Default none.
    pub allowed_top_level_claims: Vec<String>,
    /// `preserve_ext_claims`: JWTs without that mirror have `ext` with the extra claims that do not
    /// stand at the top. Default false.
    pub preserve_ext_claims: bool,
    /// `token_hook`: a URL, or `url` and `auth`; asked before each token. Default none.
    pub token_hook: Option<TokenHook>,
    /// `grant.jwt`: what assertions of trusted issuers may be like.
    pub jwt_grant: JwtGrant,
    /// `hashers.algorithm` for the secrets that people choose: `pbkdf2` or `bcrypt`. Default
    /// `pbkdf2`.
    pub hasher: Hasher,
    /// `hashers.pbkdf2.iterations`. Default 25000.
    pub pbkdf2_iterations: u32,
    /// `hashers.bcrypt.cost`. Default 10, at least 4.
    pub bcrypt_cost: u32,
}

/// `oauth2.grant.jwt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwtGrant {
    /// `jti_optional`: an assertion without `jti` is taken, and may come again. Default false.
    pub jti_optional: bool,
    /// `iat_optional`: an assertion need not say when it was made. Default false.
    pub iat_optional: bool,
    /// `max_ttl`: how long an assertion may count from its making to its end. Default 720 h.
    pub max_ttl: Duration,
}

impl Default for JwtGrant {
    fn default() -> Self {
        Self {
            jti_optional: false,
            iat_optional: false,
            max_ttl: Duration::from_secs(720 * 3600),
        }
    }
}

/// `oauth2.hashers.algorithm`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hasher {
    /// `pbkdf2`.
    #[default]
    Pbkdf2,
    /// `bcrypt`.
    Bcrypt,
}

impl Default for OAuth2 {
    fn default() -> Self {
        Self {
            default_grant_allowed_scope: false,
            strict_assertion_audience: false,
            assertion_issuers: Vec::new(),
            exclude_not_before_claim: false,
            mirror_top_level_claims: true,
            allowed_top_level_claims: Vec::new(),
            preserve_ext_claims: false,
            token_hook: None,
            jwt_grant: JwtGrant::default(),
            hasher: Hasher::default(),
            pbkdf2_iterations: 25_000,
            bcrypt_cost: 10,
        }
    }
}

/// Reads the section.
pub(super) fn read(fields: &mut Fields<'_>, people: &mut People) -> OAuth2 {
    let later = [
        "expose_internal_errors",
        "include_legacy_error_fields",
        "refresh_token_hook",
        "session",
    ];
    fields.unserved(Severity::Warning, &later, ADVICE);
    fields.map("device_authorization", |device| people.read_device(device));
    fields.map("pkce", |pkce| people.read_pkce(pkce));
    let jwt = fields.map("grant", |grant| {
        people.read_grant(grant);
        grant.map("jwt", jwt_grant)
    });
    let default = OAuth2::default();
    let grant = fields.map("client_credentials", |grant| {
        grant.boolean("default_grant_allowed_scope")
    });
    let assertion = fields.map("client_assertion", |assertion| {
        let is_strict = assertion.boolean("strict_audience");
        (
            is_strict.unwrap_or(false),
            assertion_issuers::read(assertion),
        )
    });
    let (strict_assertion_audience, assertion_issuers) = assertion.unwrap_or_default();
    let hashers = fields.map("hashers", |hashers| hashers_of(hashers, &default));
    OAuth2 {
        default_grant_allowed_scope: grant.flatten().unwrap_or(false),
        strict_assertion_audience,
        assertion_issuers,
        exclude_not_before_claim: fields.boolean("exclude_not_before_claim").unwrap_or(false),
        mirror_top_level_claims: fields.boolean("mirror_top_level_claims").unwrap_or(true),
        allowed_top_level_claims: fields.texts("allowed_top_level_claims"),
        preserve_ext_claims: fields.boolean("preserve_ext_claims").unwrap_or(false),
        token_hook: hook::read(fields),
        jwt_grant: jwt.flatten().unwrap_or_default(),
        ..hashers.unwrap_or(default)
    }
}

fn jwt_grant(fields: &mut Fields<'_>) -> JwtGrant {
    fields.unserved(Severity::Warning, &["omit_assertion_audience"], ADVICE);
    let longest = fields.duration("max_ttl");
    if longest.is_some_and(|longest| longest.is_zero()) {
        fields.error("max_ttl", "expects a time above zero");
    }
    JwtGrant {
        jti_optional: fields.boolean("jti_optional").unwrap_or(false),
        iat_optional: fields.boolean("iat_optional").unwrap_or(false),
        max_ttl: longest.unwrap_or(JwtGrant::default().max_ttl),
    }
}

fn hashers_of(fields: &mut Fields<'_>, default: &OAuth2) -> OAuth2 {
    let algorithms = [("pbkdf2", Hasher::Pbkdf2), ("bcrypt", Hasher::Bcrypt)];
    let iterations = fields
        .map("pbkdf2", |pbkdf2| pbkdf2.number("iterations"))
        .flatten();
    let cost = fields
        .map("bcrypt", |bcrypt| bcrypt.number("cost"))
        .flatten();
    if iterations == Some(0) {
        fields.error("pbkdf2.iterations", "at least one iteration");
    }
    if cost.is_some_and(|cost| !(4..=31).contains(&cost)) {
        fields.error("bcrypt.cost", "from 4 to 31");
    }
    OAuth2 {
        hasher: fields
            .word("algorithm", &algorithms)
            .unwrap_or(default.hasher),
        pbkdf2_iterations: iterations.unwrap_or(default.pbkdf2_iterations),
        bcrypt_cost: cost.unwrap_or(default.bcrypt_cost),
        ..default.clone()
    }
}
