//! Hydra's configuration, from its several sources.

use std::collections::BTreeMap;
use std::time::Duration;

use carnet_config::diagnostics::Severity;
use carnet_config::document::{Node, parse_toml, parse_yaml};
use carnet_config::install::authserver::{
    AccessTokenStrategy, AuthserverConfig, Cookies, Hasher, LogFormat, Pem, SameSite, ScopeClaim,
    ScopeStrategy, read,
};
use secrecy::ExposeSecret as _;

pub(crate) fn yaml(text: &str) -> Node {
    parse_yaml(text, "a.yaml").unwrap().remove(0)
}

pub(crate) fn from(
    documents: &[Node],
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> (AuthserverConfig, Vec<String>) {
    let owned = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
    let variables: BTreeMap<_, _> = variables.iter().map(owned).collect();
    let flags: Vec<_> = flags.iter().map(owned).collect();
    let (config, findings) = read(documents, &variables, &flags);
    (config, findings.iter().map(ToString::to_string).collect())
}

pub(crate) fn sound(documents: &[Node], variables: &[(&str, &str)]) -> AuthserverConfig {
    let (config, findings) = from(documents, variables, &[]);
    assert_eq!(findings, [""; 0]);
    config
}

fn secrets(config: &AuthserverConfig) -> Vec<&str> {
    let system = config.secrets.system.iter();
    system.map(|secret| secret.expose_secret()).collect()
}

#[test]
fn defaults_are_those_of_hydra_but_for_the_size_of_keys() {
    let config = sound(&[], &[]);
    assert!(config.dsn.is_none());
    assert!(!config.dev);
    assert_eq!(secrets(&config), [""; 0]);
    for (listener, port) in [(&config.public, 4444), (&config.admin, 4445)] {
        assert_eq!((listener.host.as_deref(), listener.port), (None, port));
        assert!(listener.tls.is_none() && listener.cors.is_none());
        assert!(!listener.silent_health);
        assert_eq!(listener.socket.mode, 0o755);
    }
    assert_eq!(config.issuer(), "http://localhost:4444");
    assert_eq!(config.strategies.access_token, AccessTokenStrategy::Opaque);
    assert_eq!(config.strategies.scope, ScopeStrategy::Wildcard);
    assert_eq!(config.strategies.scope_claim, ScopeClaim::List);
    assert_eq!(config.ttl_access_token, Duration::from_secs(3600));
    assert!(config.oauth2.mirror_top_level_claims);
    assert!(!config.oauth2.exclude_not_before_claim);
    assert!(!config.oauth2.default_grant_allowed_scope);
    assert_eq!(config.oauth2.hasher, Hasher::Pbkdf2);
    assert_eq!(config.oauth2.pbkdf2_iterations, 25_000);
    assert_eq!(config.oauth2.bcrypt_cost, 10);
    assert_eq!(config.subject_types, ["public"]);
    assert_eq!(
        config.default_scope,
        ["offline_access", "offline", "openid"]
    );
    assert_eq!(config.broadcast_keys, ["hydra.openid.id-token"]);
    assert_eq!(config.rsa_bits, 2048);
    assert_eq!(config.rotation, None);
    assert_eq!(config.log.level, "info");
}

const DOCUMENT: &str = "
dsn: sqlite:///var/lib/a.sqlite
secrets: {system: [first-secret-of-16, second-secret-of-16]}
serve: {public: {host: 127.0.0.1, port: 5444}, admin: {host: '::1', port: 5445}}
urls: {self: {issuer: https://as.test/, public: https://public.test, admin: 'http://[::1]:5445'}}
strategies: {access_token: jwt, scope: exact, jwt: {scope_claim: both}}
ttl: {access_token: 90m}
oauth2:
  exclude_not_before_claim: true
  mirror_top_level_claims: false
  allowed_top_level_claims: [a, b]
  client_credentials: {default_grant_allowed_scope: true}
  hashers: {algorithm: bcrypt, pbkdf2: {iterations: 1000}, bcrypt: {cost: 4}}
oidc:
  subject_identifiers: {supported_types: [public, pairwise]}
  dynamic_client_registration: {default_scope: [a]}
webfinger:
  jwks: {broadcast_keys: [x, y]}
  oidc_discovery: {token_url: 'https://as.test/t', jwks_url: 'https://as.test/j', supported_claims: [c], supported_scope: [s]}
jwks: {rsa_bits: 4096, algorithm: ES256, rotation: {every: 720h, publish_ahead: 24h}}
revocations: {limit: 5}
log: {level: debug, format: json}
";

const VARIABLES: [(&str, &str); 27] = [
    ("DSN", "sqlite:///var/lib/a.sqlite"),
    ("SECRETS_SYSTEM", "first-secret-of-16,second-secret-of-16"),
    ("SERVE_PUBLIC_HOST", "127.0.0.1"),
    ("SERVE_PUBLIC_PORT", "5444"),
    ("SERVE_ADMIN_HOST", "::1"),
    ("SERVE_ADMIN_PORT", "5445"),
    ("URLS_SELF_ISSUER", "https://as.test/"),
    ("URLS_SELF_PUBLIC", "https://public.test"),
    ("URLS_SELF_ADMIN", "http://[::1]:5445"),
    ("STRATEGIES_ACCESS_TOKEN", "jwt"),
    ("STRATEGIES_SCOPE", "exact"),
    ("STRATEGIES_JWT_SCOPE_CLAIM", "both"),
    ("TTL_ACCESS_TOKEN", "90m"),
    ("OAUTH2_EXCLUDE_NOT_BEFORE_CLAIM", "true"),
    ("OAUTH2_MIRROR_TOP_LEVEL_CLAIMS", "false"),
    ("OAUTH2_ALLOWED_TOP_LEVEL_CLAIMS", "a,b"),
    (
        "OAUTH2_CLIENT_CREDENTIALS_DEFAULT_GRANT_ALLOWED_SCOPE",
        "true",
    ),
    ("OAUTH2_HASHERS_ALGORITHM", "bcrypt"),
    ("OAUTH2_HASHERS_PBKDF2_ITERATIONS", "1000"),
    ("OAUTH2_HASHERS_BCRYPT_COST", "4"),
    (
        "OIDC_SUBJECT_IDENTIFIERS_SUPPORTED_TYPES",
        "public,pairwise",
    ),
    ("OIDC_DYNAMIC_CLIENT_REGISTRATION_DEFAULT_SCOPE", "a"),
    ("WEBFINGER_JWKS_BROADCAST_KEYS", "x,y"),
    ("WEBFINGER_OIDC_DISCOVERY_TOKEN_URL", "https://as.test/t"),
    ("WEBFINGER_OIDC_DISCOVERY_JWKS_URL", "https://as.test/j"),
    ("WEBFINGER_OIDC_DISCOVERY_SUPPORTED_CLAIMS", "c"),
    ("WEBFINGER_OIDC_DISCOVERY_SUPPORTED_SCOPE", "s"),
];

// Holds SE-04.
#[test]
fn documents_and_variables_say_the_same() {
    let more = [
        ("JWKS_RSA_BITS", "4096"),
        ("JWKS_ALGORITHM", "ES256"),
        ("JWKS_ROTATION_EVERY", "720h"),
        ("REVOCATIONS_LIMIT", "5"),
        ("JWKS_ROTATION_PUBLISH_AHEAD", "24h"),
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "json"),
    ];
    let variables = [VARIABLES.as_slice(), &more].concat();
    for config in [sound(&[yaml(DOCUMENT)], &[]), sound(&[], &variables)] {
        let dsn = config.dsn.as_ref().map(|dsn| dsn.expose_secret());
        assert_eq!(dsn, Some("sqlite:///var/lib/a.sqlite"));
        assert_eq!(
            secrets(&config),
            ["first-secret-of-16", "second-secret-of-16"]
        );
        assert_eq!(config.public.host.as_deref(), Some("127.0.0.1"));
        assert_eq!((config.public.port, config.admin.port), (5444, 5445));
        assert_eq!(config.issuer(), "https://as.test/");
        assert_eq!(config.urls.public.as_deref(), Some("https://public.test"));
        assert_eq!(config.urls.admin.as_deref(), Some("http://[::1]:5445"));
        assert_eq!(config.strategies.access_token, AccessTokenStrategy::Jwt);
        assert_eq!(config.strategies.scope, ScopeStrategy::Exact);
        assert_eq!(config.strategies.scope_claim, ScopeClaim::Both);
        assert_eq!(config.ttl_access_token, Duration::from_secs(5400));
        assert!(config.oauth2.exclude_not_before_claim);
        assert!(!config.oauth2.mirror_top_level_claims);
        assert!(config.oauth2.default_grant_allowed_scope);
        assert_eq!(config.oauth2.allowed_top_level_claims, ["a", "b"]);
        assert_eq!(config.oauth2.hasher, Hasher::Bcrypt);
        assert_eq!(config.oauth2.pbkdf2_iterations, 1000);
        assert_eq!(config.oauth2.bcrypt_cost, 4);
        assert_eq!(config.subject_types, ["public", "pairwise"]);
        assert_eq!(config.default_scope, ["a"]);
        assert_eq!(config.broadcast_keys, ["x", "y"]);
        assert_eq!(
            config.discovery.token_url.as_deref(),
            Some("https://as.test/t")
        );
        assert_eq!(
            config.discovery.jwks_url.as_deref(),
            Some("https://as.test/j")
        );
        assert_eq!(config.discovery.supported_claims, ["c"]);
        assert_eq!(config.discovery.supported_scope, ["s"]);
        assert_eq!(config.rsa_bits, 4096);
        assert_eq!(config.algorithm, "ES256");
        assert_eq!(config.revocation_limit, 5);
        let day = Duration::from_secs(24 * 3600);
        let rotation = config.rotation.unwrap();
        assert_eq!((rotation.every, rotation.publish_ahead), (30 * day, day));
        assert_eq!(config.log.level, "debug");
        assert_eq!(config.log.format, LogFormat::Json);
    }
}

#[test]
fn later_sources_win_key_by_key() {
    let first =
        yaml("serve: {public: {port: 1}, admin: {port: 1}}\nsecrets: {system: [a, b]}\ndsn: x");
    let second = parse_toml("dsn = 'memory'\n[serve.public]\nport = 2", "b.toml").unwrap();
    let nothing = yaml("~");
    let variables = [
        ("SERVE_PUBLIC_PORT", "3"),
        ("SECRETS_SYSTEM", "c"),
        ("URLS_SELF_ISSUER", ""),
    ];
    let documents = [first, second, nothing];
    let config = sound(&documents, &variables);
    assert_eq!((config.public.port, config.admin.port), (3, 1));
    assert_eq!(
        config.dsn.as_ref().map(|dsn| dsn.expose_secret()),
        Some("memory")
    );
    assert_eq!(secrets(&config), ["c"]);
    assert_eq!(config.urls.issuer, None);
    let flags = [("dev", "true"), ("serve.public.port", "4")];
    let (config, findings) = from(&documents, &variables, &flags);
    assert_eq!(findings, [""; 0]);
    assert!(config.dev);
    assert_eq!(config.public.port, 4);
}

#[test]
fn the_settings_of_the_tutorial_are_all_served() {
    let variables = [
        ("DSN", "memory"),
        ("SECRETS_SYSTEM", "youReallyNeedToChangeThis"),
        ("SECRETS_COOKIE", "youReallyNeedToChangeThis"),
        (
            "OIDC_SUBJECT_IDENTIFIERS_PAIRWISE_SALT",
            "youReallyNeedToChangeThis",
        ),
        ("URLS_SELF_ISSUER", "http://hydra.hydra.svc:4444"),
        ("URLS_SELF_ADMIN", "http://hydra.hydra.svc:4445"),
        ("URLS_SELF_PUBLIC", "http://hydra.docker.localhost"),
        ("URLS_CONSENT", "http://consent.docker.localhost/consent"),
        ("STRATEGIES_ACCESS_TOKEN", "jwt"),
        (
            "WEBFINGER_OIDC_DISCOVERY_TOKEN_URL",
            "http://hydra.hydra.svc:4444/oauth2/token",
        ),
        ("GOMAXPROCS", "1"),
        ("HYDRA_PORT", "tcp://10.0.0.1:4444"),
        ("PATH", "/usr/bin"),
        ("VERSION", "7"),
    ];
    let (config, findings) = from(&[], &variables, &[("dev", "true")]);
    assert_eq!(findings, [""; 0]);
    assert_eq!(config.issuer(), "http://hydra.hydra.svc:4444");
    let consent = config.urls.consent.as_deref();
    assert_eq!(consent, Some("http://consent.docker.localhost/consent"));
}

#[test]
fn cookies_are_called_and_sent_as_is_said() {
    let all = yaml(
        "serve: {cookies: {domain: a.test, secure: true, same_site_mode: Strict, same_site_legacy_workaround: true, names: {session: s, \
         login_csrf: l, consent_csrf: c, device_csrf: d}, paths: {session: /oauth2}}}",
    );
    let cookies = Cookies {
        domain: Some("a.test".to_owned()),
        secure: true,
        same_site: Some(SameSite::Strict),
        for_old_browsers: true,
        login_csrf: "l".to_owned(),
        consent_csrf: "c".to_owned(),
        device_csrf: "d".to_owned(),
        session: "s".to_owned(),
        session_path: "/oauth2".to_owned(),
    };
    assert_eq!(sound(&[all], &[]).cookies, cookies);
    assert_eq!(sound(&[], &[]).cookies, Cookies::default());
    let by_variable = sound(&[], &[("SERVE_COOKIES_NAMES_SESSION", "mine")]).cookies;
    assert_eq!(by_variable.session, "mine");
}

#[test]
fn the_issuer_follows_from_the_public_listener() {
    for (host, issuer) in [
        ("", "http://localhost:4444"),
        ("0.0.0.0", "http://localhost:4444"),
        ("127.0.0.1", "http://127.0.0.1:4444"),
        ("::1", "http://[::1]:4444"),
    ] {
        let config = sound(&[], &[("SERVE_PUBLIC_HOST", host)]);
        assert_eq!(config.issuer(), issuer);
    }
}

#[test]
fn values_that_do_not_fit_and_unknown_flags_are_errors() {
    let (_, findings) = read(
        &[],
        &BTreeMap::from([("TTL_ACCESS_TOKEN".to_owned(), "soon".to_owned())]),
        &[("dve".to_owned(), "true".to_owned())],
    );
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity == Severity::Error)
    );
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "environment: error: ttl.access_token: expects a duration like `90s` or `1m30s`, or a number of seconds",
            "flag: error: dve: unknown option `dve`; did you mean `dev`?",
        ]
    );
}

// Holds SE-05.
#[test]
fn a_debug_print_of_the_settings_holds_no_secret() {
    let variables = [
        ("DSN", "postgres://u:CANARY@db/x"),
        ("SECRETS_SYSTEM", "CANARY-CANARY-CANARY"),
    ];
    let config = sound(&[], &variables);
    assert!(!format!("{config:?}").contains("CANARY"));
}

#[test]
fn pages_of_other_origins_are_let_in_where_that_is_enabled() {
    let variables = [
        ("SERVE_PUBLIC_CORS_ENABLED", "true"),
        ("SERVE_PUBLIC_CORS_ALLOWED_ORIGINS", "https://a,https://*.b"),
        ("SERVE_PUBLIC_CORS_MAX_AGE", "60"),
        ("SERVE_ADMIN_CORS_ALLOWED_ORIGINS", "https://a"),
    ];
    let environment = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (config, findings) = read(&[], &environment, &[]);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(config.admin.cors, None);
    let cors = config.public.cors.unwrap();
    assert_eq!(cors.allowed_origins, ["https://a", "https://*.b"]);
    assert_eq!(cors.max_age, 60);
    assert!(cors.allow_credentials && cors.allowed_methods.contains(&"PATCH".to_owned()));
}

#[test]
fn limits_count_until_they_are_told_to_enforce() {
    let default = sound(&[], &[]).limits;
    assert_eq!((default.tokens.rate, default.tokens.enforce), (None, None));
    assert_eq!((default.guesses.rate, default.guesses.burst), (10, 100));
    let text = "limits: {tokens: {rate: 5, quota: 100, period: 1h, enforce: true}}";
    let limits = sound(&[yaml(text)], &[("LIMITS_TOKENS_BURST", "9")]).limits;
    assert_eq!(
        (limits.tokens.rate, limits.tokens.burst),
        (Some(5), Some(9))
    );
    assert_eq!(limits.tokens.period, Some(Duration::from_secs(3600)));
    assert_eq!(limits.tokens.enforce, Some(true));
    let wrong = "limits: {tokens: {burst: 0, period: 10ms}, guesses: {burst: 0}}";
    let (_, findings) = from(&[yaml(wrong)], &[], &[]);
    assert_eq!(findings.len(), 3, "{findings:?}");
}

const PEM: &str = "LS0tCg";

#[test]
fn tls_of_a_port_is_what_both_have_but_for_what_it_says_itself() {
    let document = yaml(
        "serve:
  tls: {enabled: true, cert: {path: both.pem}, key: {path: both.key, base64: LS0tCg}, allow_termination_from: [10.0.0.0/8, 'fd00::/8']}
  public: {tls: {cert: {path: own.pem}, allow_termination_from: []}}
  admin: {host: 'unix:/run/admin.sock', socket: {mode: 0660, owner: hydra, group: www}, request_log: {disable_for_health: true}, tls: {enabled: false}}",
    );
    let (config, findings) = from(&[document], &[], &[]);
    assert_eq!(
        findings,
        [
            "a.yaml:4:135: warning: serve.admin.tls.allow_termination_from: has no effect while TLS is off: plain HTTP is taken from everybody; set `enabled` to true, or remove it"
        ]
    );
    let tls = config.public.tls.as_ref().unwrap();
    assert!(matches!(&tls.certificate, Pem::Path(path) if path == "own.pem"));
    assert!(matches!(&tls.key, Pem::Path(path) if path == "both.key"));
    assert!(tls.allow_termination_from.is_empty());
    assert_eq!(config.issuer(), "https://localhost:4444");
    assert!(config.admin.tls.is_none() && config.admin.silent_health);
    assert_eq!(config.admin.unix_path(), Some("/run/admin.sock"));
    let socket = &config.admin.socket;
    assert_eq!(
        (
            socket.owner.as_deref(),
            socket.group.as_deref(),
            socket.mode
        ),
        (Some("hydra"), Some("www"), 0o660)
    );
}

#[test]
fn tls_can_be_set_by_variables() {
    let config = sound(
        &[],
        &[
            ("SERVE_TLS_ENABLED", "true"),
            ("SERVE_TLS_CERT_BASE64", PEM),
            ("SERVE_TLS_KEY_BASE64", PEM),
            (
                "SERVE_TLS_ALLOW_TERMINATION_FROM",
                "127.0.0.1/32,10.0.0.0/8",
            ),
            ("SERVE_ADMIN_TLS_CERT_PATH", "/admin.pem"),
            ("SERVE_ADMIN_SOCKET_MODE", "432"),
        ],
    );
    for (listener, is_path) in [(&config.public, false), (&config.admin, true)] {
        let tls = listener.tls.as_ref().unwrap();
        assert_eq!(matches!(tls.certificate, Pem::Path(_)), is_path);
        assert!(matches!(&tls.key, Pem::Base64(text) if text.expose_secret() == PEM));
        assert_eq!(tls.allow_termination_from.len(), 2);
    }
    assert_eq!(config.admin.socket.mode, 0o660);
}

#[test]
fn tls_that_cannot_be_served_is_an_error_and_never_plain_text() {
    for (document, finding) in [
        (
            "serve: {tls: {enabled: true, cert: {path: a}}}",
            "error: serve.tls.enabled: TLS is on, and needs a certificate and its key; set `cert.path` and `key.path`",
        ),
        (
            "serve: {public: {tls: {enabled: true}}}",
            "error: serve.public.tls.enabled: TLS is on, and needs a certificate and its key; set `cert.path` and `key.path`",
        ),
        (
            "serve: {public: {host: 'unix:/a', tls: {enabled: true, cert: {path: a}, key: {path: a}}}}",
            "error: serve.public.tls.enabled: TLS is not spoken at a unix socket; set `tls.enabled` to false here",
        ),
        (
            "serve: {tls: {allow_termination_from: [10.0.0.1]}}",
            "error: serve.tls.allow_termination_from: \"10.0.0.1\" is no range of addresses; write it as 10.0.0.0/8",
        ),
        (
            "serve: {public: {socket: {mode: 0999}}}",
            "error: serve.public.socket.mode: expects a mode from 0 to 0777, octal with a 0 at its begin, as 0660",
        ),
    ] {
        let (_, findings) = from(&[yaml(document)], &[], &[]);
        assert!(
            findings.iter().any(|found| found.ends_with(finding)),
            "{document}: {findings:#?}"
        );
    }
}
