//! Hydra's configuration, read from files and the environment, and handed to the server as plain
//! options.

use std::path::PathBuf;
use std::time::Duration;

use carnet_authserver::{
    self as authserver, Algorithm, Options, PortOptions, Ports, RequestLog, RsaBits,
};
use carnet_config::diagnostics::Diagnostic;
use carnet_config::install::authserver::{
    self as config, AccessTokenStrategy, AssertionAudience, AuthserverConfig, Hasher, ScopeClaim,
    ScopeStrategy, TokenProfile,
};
use carnet_oauth::client::Lifespan;
use secrecy::ExposeSecret;

use super::{assertion_issuers, tls};
use crate::boot::Traces;
use crate::commands::install;
use crate::output::Failure;
use crate::process::Process;

/// Reads files, over them the environment, over that `--dev`.
pub(in crate::commands) fn read(
    files: &[String],
    is_trial: bool,
    process: &Process,
) -> Result<AuthserverConfig, Failure> {
    install::accept(found(files, is_trial, process)?, process)
}

/// The same, with what was found.
pub(super) fn found(
    files: &[String],
    is_trial: bool,
    process: &Process,
) -> Result<(AuthserverConfig, Vec<Diagnostic>), Failure> {
    let documents: Result<Vec<_>, _> = files.iter().map(|file| install::document(file)).collect();
    let flags = match is_trial {
        true => vec![("dev".to_owned(), "true".to_owned())],
        false => Vec::new(),
    };
    Ok(config::read(&documents?, &process.env, &flags))
}

/// The database of a configuration.
pub(in crate::commands) fn dsn(config: &AuthserverConfig) -> Result<&str, Failure> {
    config
        .dsn
        .as_ref()
        .map(|dsn| dsn.expose_secret())
        .ok_or_else(|| {
            Failure::new(
                "dsn must be set: to memory, or to a file as in sqlite:///path/to/file; use the \
             variable DSN or the key `dsn` of a configuration file",
            )
        })
}

/// What the server is told. Reads the files that it names.
pub(super) fn options(config: &AuthserverConfig) -> Result<Options, Failure> {
    Ok(Options {
        issuer: config.issuer(),
        public_url: config.urls.public.clone(),
        access_token_strategy: match config.strategies.access_token {
            AccessTokenStrategy::Opaque => authserver::AccessTokenStrategy::Opaque,
            AccessTokenStrategy::Jwt => authserver::AccessTokenStrategy::Jwt,
        },
        scope_strategy: match config.strategies.scope {
            ScopeStrategy::Wildcard => authserver::ScopeStrategy::Wildcard,
            ScopeStrategy::Exact => authserver::ScopeStrategy::Exact,
        },
        scope_claim: match config.strategies.scope_claim {
            ScopeClaim::List => authserver::ScopeClaim::List,
            ScopeClaim::String => authserver::ScopeClaim::String,
            ScopeClaim::Both => authserver::ScopeClaim::Both,
        },
        token_profile: match config.strategies.profile {
            TokenProfile::Hydra => authserver::TokenProfile::Hydra,
            TokenProfile::Rfc9068 => authserver::TokenProfile::Rfc9068,
        },
        ttl_access_token: config.ttl_access_token,
        assertion_audience: match config.oauth2.assertion_audience {
            AssertionAudience::Endpoint => authserver::AssertionAudience::Endpoint,
            AssertionAudience::Issuer => authserver::AssertionAudience::Issuer,
            AssertionAudience::IssuerText => authserver::AssertionAudience::IssuerText,
        },
        assertion_issuers: assertion_issuers::read(&config.oauth2.assertion_issuers)?,
        exclude_not_before_claim: config.oauth2.exclude_not_before_claim,
        allowed_top_level_claims: config.oauth2.allowed_top_level_claims.clone(),
        mirror_top_level_claims: config.oauth2.mirror_top_level_claims,
        preserve_ext_claims: config.oauth2.preserve_ext_claims,
        jwt_grant: jwt_grant(config.oauth2.jwt_grant),
        people: people(config),
        mtls: mtls(&config.oauth2.mtls)?,
        dpop: authserver::Dpop {
            needs_nonce: config.oauth2.dpop.nonce_required,
        },
        cookies: cookies(&config.cookies),
        is_trial: config.dev,
        limits: limits(&config.limits),
        audit_file: config.audit_file.as_ref().map(PathBuf::from),
        trusted_proxies: config.trusted_proxies.clone(),
        token_hook: config.oauth2.token_hook.as_ref().map(hook),
        refresh_token_hook: config.oauth2.refresh_token_hook.as_ref().map(hook),
        default_grant_allowed_scope: config.oauth2.default_grant_allowed_scope,
        default_scope: config.default_scope.clone(),
        subject_types: config.subject_types.clone(),
        pairwise_salt: config.pairwise_salt.clone(),
        system_secrets: config.secrets.system.clone(),
        cookie_secrets: config.secrets.cookie.clone(),
        pbkdf2_iterations: config.oauth2.pbkdf2_iterations,
        bcrypt_cost: (config.oauth2.hasher == Hasher::Bcrypt).then_some(config.oauth2.bcrypt_cost),
        rsa_bits: match config.rsa_bits {
            4096 => RsaBits::B4096,
            3072 => RsaBits::B3072,
            _ => RsaBits::B2048,
        },
        algorithm: config.algorithm.parse().unwrap_or(Algorithm::Rs256),
        revocation_limit: usize::try_from(config.revocation_limit).unwrap_or(usize::MAX),
        status_list: config.status_list,
        rotation: config.rotation.map(|rotation| authserver::Rotation {
            every: rotation.every,
            publish_ahead: rotation.publish_ahead,
        }),
        broadcast_keys: config.broadcast_keys.clone(),
        discovery: discovery(&config.discovery),
        public_cors: config.public.cors.as_ref().map(cors),
        admin_cors: config.admin.cors.as_ref().map(cors),
        ports: ports(config)?,
        ..Options::default()
    })
}

fn ports(config: &AuthserverConfig) -> Result<Ports, Failure> {
    Ok(Ports {
        public: port("serve.public", &config.public)?,
        admin: port("serve.admin", &config.admin)?,
        drain_delay: config.drain_delay,
        request_log: RequestLog {
            leaks: config.log.leak_sensitive_values,
            redaction_text: config.log.redaction_text.clone(),
            redacted_headers: config.log.additional_redacted_headers.clone(),
        },
        trace_parent: config.tracing.as_ref().map(|_| Traces::parent()),
    })
}

fn port(name: &str, listener: &config::Listener) -> Result<PortOptions, Failure> {
    let tls = listener.tls.as_ref().map(|told| tls::read(name, told));
    Ok(PortOptions {
        tls: tls.transpose()?,
        silent_health: listener.silent_health,
    })
}

fn mtls(told: &config::Mtls) -> Result<authserver::Mtls, Failure> {
    let authorities = told.client_ca.as_ref().map(tls::authorities).transpose()?;
    Ok(authserver::Mtls {
        is_enabled: told.enabled,
        authorities,
        // Names that are none are told of where the configuration is read.
        header: told.header.as_ref().and_then(|name| name.parse().ok()),
        url: told.url.clone(),
    })
}

fn people(config: &AuthserverConfig) -> authserver::People {
    let (urls, people) = (&config.urls, &config.people);
    authserver::People {
        login_url: urls.login.clone(),
        consent_url: urls.consent.clone(),
        logout_url: urls.logout.clone(),
        error_url: urls.error.clone(),
        post_logout_redirect_url: urls.post_logout_redirect.clone(),
        device_verification_url: urls.device_verification.clone(),
        device_success_url: urls.device_success.clone(),
        ttl_device_code: people.ttl_device_code,
        device_interval: people.device_interval,
        ttl_request: people.ttl_request,
        ttl_session: people.ttl_session,
        ttl_code: people.ttl_code,
        ttl_id_token: people.ttl_id_token,
        ttl_refresh_token: people.ttl_refresh_token,
        registration_enabled: people.registration_enabled,
        added_audience: people.added_audience.clone(),
        added_scope: people.added_scope.clone(),
        pkce_enforced: people.pkce_enforced,
        pkce_enforced_for_public: people.pkce_enforced_for_public,
        par_required: people.par_required,
        grace_period: people.grace_period,
        grace_uses: people.grace_uses,
    }
}

fn jwt_grant(grant: config::JwtGrant) -> authserver::JwtGrant {
    authserver::JwtGrant {
        jti_optional: grant.jti_optional,
        iat_optional: grant.iat_optional,
        max_ttl: grant.max_ttl,
        omit_assertion_audience: grant.omit_assertion_audience,
    }
}

fn discovery(discovery: &config::Discovery) -> authserver::Discovery {
    authserver::Discovery {
        auth_url: discovery.auth_url.clone(),
        token_url: discovery.token_url.clone(),
        userinfo_url: discovery.userinfo_url.clone(),
        device_authorization_url: discovery.device_authorization_url.clone(),
        client_registration_url: discovery.client_registration_url.clone(),
        jwks_url: discovery.jwks_url.clone(),
        supported_claims: discovery.supported_claims.clone(),
        supported_scope: discovery.supported_scope.clone(),
    }
}

fn cookies(cookies: &config::Cookies) -> authserver::Cookies {
    let same_site = cookies.same_site.map(|mode| match mode {
        config::SameSite::Strict => authserver::SameSite::Strict,
        config::SameSite::Lax => authserver::SameSite::Lax,
        config::SameSite::None => authserver::SameSite::None,
    });
    authserver::Cookies {
        domain: cookies.domain.clone(),
        secure: cookies.secure,
        same_site,
        for_old_browsers: cookies.for_old_browsers,
        login_csrf: cookies.login_csrf.clone(),
        consent_csrf: cookies.consent_csrf.clone(),
        device_csrf: cookies.device_csrf.clone(),
        session: cookies.session.clone(),
        session_path: cookies.session_path.clone(),
    }
}

fn limits(limits: &config::Limits) -> authserver::Limits {
    let tokens = &limits.tokens;
    let period = tokens.period.map(|period| i64::try_from(period.as_secs()));
    authserver::Limits {
        tokens: authserver::TokenLimits {
            rate: tokens.rate,
            burst: tokens.burst,
            quota: tokens.quota,
            period: period.map(|seconds| Lifespan::from_seconds(seconds.unwrap_or(i64::MAX))),
            enforce: tokens.enforce,
        },
        guesses: authserver::Guesses {
            rate: limits.guesses.rate,
            burst: limits.guesses.burst,
        },
    }
}

fn hook(hook: &config::TokenHook) -> authserver::TokenHook {
    let key = |key: &config::HookKey| authserver::HookKey {
        place: match key.place {
            config::HookKeyPlace::Header => authserver::HookKeyPlace::Header,
            config::HookKeyPlace::Cookie => authserver::HookKeyPlace::Cookie,
        },
        name: key.name.clone(),
        value: key.value.clone(),
    };
    authserver::TokenHook {
        url: hook.url.clone(),
        auth: hook.auth.as_ref().map(key),
    }
}

fn cors(cors: &config::Cors) -> authserver::Cors {
    authserver::Cors {
        allowed_origins: cors.allowed_origins.clone(),
        allowed_methods: cors.allowed_methods.clone(),
        allowed_headers: cors.allowed_headers.clone(),
        exposed_headers: cors.exposed_headers.clone(),
        allow_credentials: cors.allow_credentials,
        max_age: Duration::from_secs(cors.max_age.into()),
    }
}

/// The address of a listener as users write it.
pub(super) fn address(listener: &config::Listener) -> String {
    let host = listener.host.as_deref().unwrap_or_default();
    match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]:{}", listener.port),
        false => format!("{host}:{}", listener.port),
    }
}
