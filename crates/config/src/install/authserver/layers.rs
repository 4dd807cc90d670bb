//! Several sources as one tree: documents, then environment variables, then flags.

use std::collections::BTreeMap;

use crate::diagnostics::Position;
use crate::document::{Member, Node, Value};

/// The keys that environment variables can set: every one that holds no keys itself. A key that is
/// not here has no variable, so variables of others are nobody's mistake.
pub const KEYS: &[&str] = &[
    "audit.file",
    "clients.http.disallow_private_ip_ranges",
    "clients.http.private_ip_exception_urls",
    "dev",
    "dsn",
    "hsm.enabled",
    "hsm.key_set_prefix",
    "hsm.library",
    "hsm.pin",
    "hsm.slot",
    "hsm.token_label",
    "jwks.algorithm",
    "jwks.rotation.every",
    "jwks.rotation.publish_ahead",
    "jwks.rsa_bits",
    "limits.guesses.burst",
    "limits.guesses.rate",
    "limits.tokens.burst",
    "limits.tokens.enforce",
    "limits.tokens.period",
    "limits.tokens.quota",
    "limits.tokens.rate",
    "log.additional_redacted_headers",
    "log.format",
    "log.leak_sensitive_values",
    "log.level",
    "log.redaction_text",
    "oauth2.allowed_top_level_claims",
    "oauth2.client_assertion.strict_audience",
    "oauth2.client_credentials.default_grant_allowed_scope",
    "oauth2.device_authorization.token_polling_interval",
    "oauth2.dpop.nonce_required",
    "oauth2.exclude_not_before_claim",
    "oauth2.expose_internal_errors",
    "oauth2.grant.jwt.iat_optional",
    "oauth2.grant.jwt.jti_optional",
    "oauth2.grant.jwt.max_ttl",
    "oauth2.grant.jwt.omit_assertion_audience",
    "oauth2.grant.refresh_token.rotation_grace_period",
    "oauth2.grant.refresh_token.rotation_grace_reuse_count",
    "oauth2.hashers.algorithm",
    "oauth2.hashers.bcrypt.cost",
    "oauth2.hashers.pbkdf2.iterations",
    "oauth2.mirror_top_level_claims",
    "oauth2.mtls.client_ca.base64",
    "oauth2.mtls.client_ca.path",
    "oauth2.mtls.enabled",
    "oauth2.mtls.header",
    "oauth2.mtls.url",
    "oauth2.par.required",
    "oauth2.pkce.enforced",
    "oauth2.pkce.enforced_for_public_clients",
    "oauth2.preserve_ext_claims",
    "oauth2.refresh_token_hook",
    "oauth2.refresh_token_hook.auth.config.in",
    "oauth2.refresh_token_hook.auth.config.name",
    "oauth2.refresh_token_hook.auth.config.value",
    "oauth2.refresh_token_hook.auth.type",
    "oauth2.refresh_token_hook.url",
    "oauth2.session.encrypt_at_rest",
    "oauth2.token_hook",
    "oauth2.token_hook.auth.config.in",
    "oauth2.token_hook.auth.config.name",
    "oauth2.token_hook.auth.config.value",
    "oauth2.token_hook.auth.type",
    "oauth2.token_hook.url",
    "oidc.dynamic_client_registration.added_audience",
    "oidc.dynamic_client_registration.added_scope",
    "oidc.dynamic_client_registration.default_scope",
    "oidc.dynamic_client_registration.enabled",
    "oidc.subject_identifiers.pairwise.salt",
    "oidc.subject_identifiers.supported_types",
    "profiling",
    "revocations.limit",
    "revocations.status_list.enabled",
    "revocations.status_list.ttl",
    "secrets.cookie",
    "secrets.pagination",
    "secrets.system",
    "serve.admin.access_log.disable_for_health",
    "serve.admin.cors.allow_credentials",
    "serve.admin.cors.allowed_headers",
    "serve.admin.cors.allowed_methods",
    "serve.admin.cors.allowed_origins",
    "serve.admin.cors.enabled",
    "serve.admin.cors.exposed_headers",
    "serve.admin.cors.max_age",
    "serve.admin.host",
    "serve.admin.port",
    "serve.admin.request_log.disable_for_health",
    "serve.admin.socket.group",
    "serve.admin.socket.mode",
    "serve.admin.socket.owner",
    "serve.admin.tls.allow_termination_from",
    "serve.admin.tls.cert.base64",
    "serve.admin.tls.cert.path",
    "serve.admin.tls.enabled",
    "serve.admin.tls.key.base64",
    "serve.admin.tls.key.path",
    "serve.cookies.domain",
    "serve.cookies.names.consent_csrf",
    "serve.cookies.names.device_csrf",
    "serve.cookies.names.login_csrf",
    "serve.cookies.names.session",
    "serve.cookies.paths.session",
    "serve.cookies.same_site_legacy_workaround",
    "serve.cookies.same_site_mode",
    "serve.cookies.secure",
    "serve.drain_delay",
    "serve.public.access_log.disable_for_health",
    "serve.public.cors.allow_credentials",
    "serve.public.cors.allowed_headers",
    "serve.public.cors.allowed_methods",
    "serve.public.cors.allowed_origins",
    "serve.public.cors.enabled",
    "serve.public.cors.exposed_headers",
    "serve.public.cors.max_age",
    "serve.public.host",
    "serve.public.port",
    "serve.public.request_log.disable_for_health",
    "serve.public.socket.group",
    "serve.public.socket.mode",
    "serve.public.socket.owner",
    "serve.public.tls.allow_termination_from",
    "serve.public.tls.cert.base64",
    "serve.public.tls.cert.path",
    "serve.public.tls.enabled",
    "serve.public.tls.key.base64",
    "serve.public.tls.key.path",
    "serve.tls.allow_termination_from",
    "serve.tls.cert.base64",
    "serve.tls.cert.path",
    "serve.tls.enabled",
    "serve.tls.key.base64",
    "serve.tls.key.path",
    "serve.trusted_proxies",
    "sqa.opt_out",
    "strategies.access_token",
    "strategies.jwt.profile",
    "strategies.jwt.scope_claim",
    "strategies.scope",
    "tracing.deployment_environment",
    "tracing.provider",
    "tracing.providers.otlp.authorization_header",
    "tracing.providers.otlp.insecure",
    "tracing.providers.otlp.sampling.sampling_ratio",
    "tracing.providers.otlp.server_url",
    "tracing.service_name",
    "ttl.access_token",
    "ttl.auth_code",
    "ttl.authentication_session",
    "ttl.device_user_code",
    "ttl.id_token",
    "ttl.login_consent_request",
    "ttl.refresh_token",
    "urls.consent",
    "urls.device.success",
    "urls.device.verification",
    "urls.error",
    "urls.identity_provider.publicUrl",
    "urls.identity_provider.url",
    "urls.login",
    "urls.logout",
    "urls.post_logout_redirect",
    "urls.registration",
    "urls.self.admin",
    "urls.self.issuer",
    "urls.self.public",
    "webfinger.jwks.broadcast_keys",
    "webfinger.oidc_discovery.auth_url",
    "webfinger.oidc_discovery.client_registration_url",
    "webfinger.oidc_discovery.device_authorization_url",
    "webfinger.oidc_discovery.jwks_url",
    "webfinger.oidc_discovery.supported_claims",
    "webfinger.oidc_discovery.supported_scope",
    "webfinger.oidc_discovery.token_url",
    "webfinger.oidc_discovery.userinfo_url",
];

/// Those of them whose variable may hold a JSON object.
const OBJECTS: &[&str] = &["oauth2.refresh_token_hook", "oauth2.token_hook"];

/// The tree of all sources.
pub(super) fn stacked(
    documents: &[Node],
    environment: &BTreeMap<String, String>,
    flags: &[(String, String)],
) -> Node {
    let mut root = empty(place("configuration"));
    for document in documents {
        overlay(&mut root, document.clone());
    }
    for key in KEYS {
        let name = key.to_uppercase().replace('.', "_");
        // A variable that is set to nothing is as good as unset.
        if let Some(text) = environment.get(&name).filter(|text| !text.is_empty()) {
            overlay(&mut root, branch(key, text, &place("environment")));
        }
    }
    for (key, text) in flags {
        overlay(&mut root, branch(key, text, &place("flag")));
    }
    root
}

/// Puts a tree over another: maps are joined, everything else is replaced.
fn overlay(below: &mut Node, above: Node) {
    match (&mut below.value, above.value) {
        // A document of nothing, or a section without content, changes nothing.
        (_, Value::Null) => {}
        (Value::Map(members), Value::Map(more)) => {
            for member in more {
                match members.iter_mut().find(|known| known.key == member.key) {
                    Some(known) => overlay(&mut known.value, member.value),
                    None => members.push(member),
                }
            }
        }
        (_, value) => {
            *below = Node {
                position: above.position,
                value,
            };
        }
    }
}

/// A tree of one key.
fn branch(key: &str, text: &str, position: &Position) -> Node {
    let object = match OBJECTS.contains(&key) && text.starts_with('{') {
        true => serde_json::from_str(text).ok(),
        false => None,
    };
    let leaf = match object {
        Some(object) => Node::from_json(&object, position.clone()),
        None => Node {
            position: position.clone(),
            value: Value::Text(text.to_owned()),
        },
    };
    key.rsplit('.').fold(leaf, |value, name| Node {
        position: position.clone(),
        value: Value::Map(vec![Member {
            key: name.to_owned(),
            key_position: position.clone(),
            value,
        }]),
    })
}

fn empty(position: Position) -> Node {
    let value = Value::Map(Vec::new());
    Node { position, value }
}

fn place(source: &str) -> Position {
    Position {
        source: source.into(),
        line: 0,
        column: 0,
    }
}
