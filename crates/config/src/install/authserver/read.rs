//! From a tree to an [`AuthserverConfig`].

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::{
    AccessTokenStrategy, AuthserverConfig, Discovery, Rotation, ScopeClaim, ScopeStrategy, Secrets,
    Strategies, TokenProfile, Urls, cookies, layers, limits, log, oauth2, serve, tls, tracing,
};
use crate::diagnostics::{Diagnostic, Severity};
use crate::document::{Fields, Node, Spelling};
use crate::secret::{refuse_placeholder, secret};

/// Those of RFC 7518, RFC 8037 and RFC 9964 that have two keys.
const ALGORITHMS: [&str; 12] = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "ML-DSA-44",
    "ML-DSA-65",
];

pub(super) const ADVICE: &str = "; remove it";

/// Reads the configuration: `documents` in the order given, over them the environment, over that
/// the flags, as dotted keys with their texts. Keys that Hydra knows and this server does not serve
/// are warnings, errors where without them it would do what it must not. With an error among the
/// findings the server does not start.
pub fn read(
    documents: &[Node],
    environment: &BTreeMap<String, String>,
    flags: &[(String, String)],
) -> (AuthserverConfig, Vec<Diagnostic>) {
    let root = layers::stacked(documents, environment, flags);
    let mut fields = Fields::new(&root, "", Spelling::Exact);
    let config = config(&mut fields);
    (config, fields.finish())
}

fn config(fields: &mut Fields<'_>) -> AuthserverConfig {
    let later = ["clients", "db", "feature_flags", "profiling"];
    fields.unserved(Severity::Warning, &later, ADVICE);
    // Nothing is sent to anybody, limits of the container are seen by themselves, and the version
    // of the file is whatever it is.
    for key in ["cgroups", "sqa", "version"] {
        fields.node(key);
    }
    fields.map("hsm", |hsm| {
        if hsm.boolean("enabled") == Some(true) {
            hsm.error("enabled", "keys in hardware modules are not served yet");
        }
        hsm.rest();
    });
    let mut config = AuthserverConfig {
        dsn: secret(fields, "dsn"),
        dev: fields.boolean("dev").unwrap_or(false),
        secrets: fields.map("secrets", secrets).unwrap_or_default(),
        strategies: fields.map("strategies", strategies).unwrap_or_default(),
        audit_file: fields.map("audit", |audit| audit.text("file")).flatten(),
        limits: fields.map("limits", limits::read).unwrap_or_default(),
        log: fields.map("log", log::read).unwrap_or_default(),
        urls: fields.map("urls", urls).unwrap_or_default(),
        tracing: fields.map("tracing", tracing::read).flatten(),
        ..AuthserverConfig::default()
    };
    if let Some(read) = fields.map("oauth2", |oauth2| oauth2::read(oauth2, &mut config.people)) {
        config.oauth2 = read;
    }
    fields.map("serve", |serve| {
        config.trusted_proxies = tls::ranges(serve, "trusted_proxies");
        serve::read(serve, &mut config.public, &mut config.admin);
        if let Some(read) = serve.map("cookies", cookies::read) {
            config.cookies = read;
        }
        let delay = serve.duration("drain_delay");
        config.drain_delay = delay.unwrap_or(config.drain_delay);
    });
    fields.map("ttl", |ttl| read_ttl(ttl, &mut config));
    fields.map("oidc", |oidc| read_oidc(oidc, &mut config));
    fields.map("webfinger", |webfinger| {
        read_webfinger(webfinger, &mut config)
    });
    fields.map("revocations", |revocations| {
        if let Some(limit) = revocations.number("limit") {
            if limit == 0 {
                revocations.error("limit", "at least 1");
            }
            config.revocation_limit = limit;
        }
        config.status_list = revocations.map("status_list", status_list).flatten();
    });
    fields.map("jwks", |jwks| {
        let sizes = ["2048", "3072", "4096"].map(|text| (text, text.parse().unwrap_or(2048)));
        config.rsa_bits = jwks.word("rsa_bits", &sizes).unwrap_or(config.rsa_bits);
        let algorithm = jwks.word("algorithm", &ALGORITHMS.map(|name| (name, name)));
        if let Some(algorithm) = algorithm {
            algorithm.clone_into(&mut config.algorithm);
        }
        config.rotation = jwks.map("rotation", Rotation::read).flatten();
    });
    config
}

fn status_list(fields: &mut Fields<'_>) -> Option<Duration> {
    let is_enabled = fields.boolean("enabled").unwrap_or(false);
    let ttl = fields.duration("ttl").unwrap_or(Duration::from_secs(60));
    if ttl < Duration::from_secs(1) {
        fields.error("ttl", "at least 1s");
    }
    is_enabled.then_some(ttl)
}

fn secrets(fields: &mut Fields<'_>) -> Secrets {
    fields.unserved(Severity::Warning, &["pagination"], ADVICE);
    let mut of = |key| {
        let texts = fields.texts(key);
        for text in &texts {
            refuse_placeholder(fields, key, text);
        }
        texts.into_iter().map(SecretString::from).collect()
    };
    Secrets {
        system: of("system"),
        cookie: of("cookie"),
    }
}

fn urls(fields: &mut Fields<'_>) -> Urls {
    let later = ["identity_provider", "registration"];
    fields.unserved(Severity::Warning, &later, ADVICE);
    let own = fields.map("self", |own| Urls {
        issuer: url(own, "issuer"),
        public: url(own, "public"),
        admin: url(own, "admin"),
        ..Urls::default()
    });
    let device = fields.map("device", |device| {
        (url(device, "verification"), url(device, "success"))
    });
    let (device_verification, device_success) = device.unwrap_or_default();
    Urls {
        device_verification,
        device_success,
        login: url(fields, "login"),
        consent: url(fields, "consent"),
        logout: url(fields, "logout"),
        error: url(fields, "error"),
        post_logout_redirect: url(fields, "post_logout_redirect"),
        ..own.unwrap_or_default()
    }
}

/// Kept as written: tokens carry the issuer byte for byte.
pub(super) fn url(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    let is_web = |url: url::Url| matches!(url.scheme(), "http" | "https");
    if !url::Url::parse(&text).is_ok_and(is_web) {
        fields.error(key, "is no http or https URL");
    }
    Some(text)
}

fn strategies(fields: &mut Fields<'_>) -> Strategies {
    let tokens = [
        ("opaque", AccessTokenStrategy::Opaque),
        ("jwt", AccessTokenStrategy::Jwt),
    ];
    let scopes = [
        ("wildcard", ScopeStrategy::Wildcard),
        ("exact", ScopeStrategy::Exact),
    ];
    let claims = [
        ("list", ScopeClaim::List),
        ("string", ScopeClaim::String),
        ("both", ScopeClaim::Both),
    ];
    let profiles = [
        ("hydra", TokenProfile::Hydra),
        ("rfc9068", TokenProfile::Rfc9068),
    ];
    let (claim, profile) = fields
        .map("jwt", |jwt| {
            // Nothing is stored of a JWT unless it is revoked, so all of them are stateless.
            jwt.unserved(Severity::Warning, &["stateless"], ADVICE);
            (
                jwt.word("scope_claim", &claims),
                jwt.word("profile", &profiles),
            )
        })
        .unwrap_or_default();
    Strategies {
        access_token: fields.word("access_token", &tokens).unwrap_or_default(),
        scope: fields.word("scope", &scopes).unwrap_or_default(),
        scope_claim: claim.unwrap_or_default(),
        profile: profile.unwrap_or_default(),
    }
}

fn read_ttl(fields: &mut Fields<'_>, config: &mut AuthserverConfig) {
    config.people.read_ttl(fields);
    if let Some(lifetime) = fields.duration("access_token") {
        if lifetime.is_zero() {
            fields.error("access_token", "tokens need a lifetime above zero");
        }
        config.ttl_access_token = lifetime;
    }
}

fn read_oidc(fields: &mut Fields<'_>, config: &mut AuthserverConfig) {
    fields.map("subject_identifiers", |subjects| {
        let salt = subjects.map("pairwise", |pairwise| secret(pairwise, "salt"));
        config.pairwise_salt = salt.flatten();
        if subjects.has("supported_types") {
            config.subject_types = subjects.texts("supported_types");
        }
    });
    fields.map("dynamic_client_registration", |registration| {
        let is_enabled = registration.boolean("enabled");
        config.people.registration_enabled = is_enabled.unwrap_or(false);
        config.people.added_audience = registration.texts("added_audience");
        config.people.added_scope = registration.texts("added_scope");
        if registration.has("default_scope") {
            config.default_scope = registration.texts("default_scope");
        }
    });
}

fn read_webfinger(fields: &mut Fields<'_>, config: &mut AuthserverConfig) {
    fields.map("jwks", |jwks| {
        if jwks.has("broadcast_keys") {
            config.broadcast_keys = jwks.texts("broadcast_keys");
        }
    });
    let discovery = fields.map("oidc_discovery", |discovery| Discovery {
        auth_url: url(discovery, "auth_url"),
        token_url: url(discovery, "token_url"),
        userinfo_url: url(discovery, "userinfo_url"),
        device_authorization_url: url(discovery, "device_authorization_url"),
        client_registration_url: url(discovery, "client_registration_url"),
        jwks_url: url(discovery, "jwks_url"),
        supported_claims: discovery.texts("supported_claims"),
        supported_scope: discovery.texts("supported_scope"),
    });
    config.discovery = discovery.unwrap_or_default();
}
