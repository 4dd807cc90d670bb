//! `oauth2`: the grant, the claims, the hashes.

use std::time::Duration;

use super::assertion_issuers::{self, AssertionIssuer};
use super::bound::{self, Dpop, Mtls};
use super::hook::{self, TokenHook};
use super::people::People;
use super::read::ADVICE;
use crate::diagnostics::Severity;
use crate::document::{Fields, Node};

/// `oauth2`.
#[derive(Debug, Clone)]
pub struct OAuth2 {
    /// `client_credentials.default_grant_allowed_scope`: a request without scopes gets all of its
    /// client's. Default false.
    pub default_grant_allowed_scope: bool,
    /// `client_assertion.strict_audience` (ours): client assertions must be for the issuer alone, not
    /// for the token endpoint; `fapi`: and say so in one text, not in a list. Default false.
    pub assertion_audience: AssertionAudience,
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
    /// `mtls` (ours): certificates of clients.
    pub mtls: Mtls,
    /// `dpop` (ours): proofs that a key is at hand.
    pub dpop: Dpop,
    /// `token_hook`: a URL, or `url` and `auth`; asked before each token. Default none.
    pub token_hook: Option<TokenHook>,
    /// `refresh_token_hook`: the same, asked before it when tokens take the place of others. Default
    /// none.
    pub refresh_token_hook: Option<TokenHook>,
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

/// `oauth2.client_assertion.strict_audience`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// `false`: the issuer or the token endpoint, perhaps among others.
    #[default]
    Endpoint,
    /// `true`: the issuer alone.
    Issuer,
    /// `fapi`: the issuer alone, in one text, as FAPI 2.0 wants it.
    IssuerText,
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
    /// `omit_assertion_audience`: the audience of an assertion is not one of its token. Default true.
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
            assertion_audience: AssertionAudience::default(),
            assertion_issuers: Vec::new(),
            exclude_not_before_claim: false,
            mirror_top_level_claims: true,
            allowed_top_level_claims: Vec::new(),
            preserve_ext_claims: false,
            mtls: Mtls::default(),
            dpop: Dpop::default(),
            token_hook: None,
            refresh_token_hook: None,
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
        "session",
    ];
    fields.unserved(Severity::Warning, &later, ADVICE);
    fields.map("device_authorization", |device| people.read_device(device));
    fields.map("pkce", |pkce| people.read_pkce(pkce));
    fields.map("par", |par| people.read_par(par));
    let jwt = fields.map("grant", |grant| {
        people.read_grant(grant);
        grant.map("jwt", jwt_grant)
    });
    let default = OAuth2::default();
    let grant = fields.map("client_credentials", |grant| {
        grant.boolean("default_grant_allowed_scope")
    });
    let assertion = fields.map("client_assertion", |assertion| {
        (
            assertion_audience(assertion),
            assertion_issuers::read(assertion),
        )
    });
    let (assertion_audience, assertion_issuers) = assertion.unwrap_or_default();
    let hashers = fields.map("hashers", |hashers| hashers_of(hashers, &default));
    OAuth2 {
        default_grant_allowed_scope: grant.flatten().unwrap_or(false),
        assertion_audience,
        assertion_issuers,
        exclude_not_before_claim: fields.boolean("exclude_not_before_claim").unwrap_or(false),
        mirror_top_level_claims: fields.boolean("mirror_top_level_claims").unwrap_or(true),
        allowed_top_level_claims: fields.texts("allowed_top_level_claims"),
        preserve_ext_claims: fields.boolean("preserve_ext_claims").unwrap_or(false),
        mtls: fields.map("mtls", bound::mtls).unwrap_or_default(),
        dpop: fields.map("dpop", bound::dpop).unwrap_or_default(),
        token_hook: hook::read(fields, "token_hook"),
        refresh_token_hook: hook::read(fields, "refresh_token_hook"),
        jwt_grant: jwt.flatten().unwrap_or_default(),
        ..hashers.unwrap_or(default)
    }
}

fn assertion_audience(fields: &mut Fields<'_>) -> AssertionAudience {
    let key = "strict_audience";
    let written = fields.node(key).and_then(Node::scalar);
    if written == Some("fapi") {
        return AssertionAudience::IssuerText;
    }
    match fields.boolean(key) {
        Some(true) => AssertionAudience::Issuer,
        Some(false) | None => AssertionAudience::Endpoint,
    }
}

fn jwt_grant(fields: &mut Fields<'_>) -> JwtGrant {
    let longest = fields.duration("max_ttl");
    if longest.is_some_and(|longest| longest.is_zero()) {
        fields.error("max_ttl", "expects a time above zero");
    }
    JwtGrant {
        jti_optional: fields.boolean("jti_optional").unwrap_or(false),
        iat_optional: fields.boolean("iat_optional").unwrap_or(false),
        max_ttl: longest.unwrap_or(JwtGrant::default().max_ttl),
        omit_assertion_audience: fields.boolean("omit_assertion_audience").unwrap_or(true),
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
