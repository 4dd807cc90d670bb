//! Flows for people: how long things count, and how codes and refresh tokens are protected.

use std::time::Duration;

use super::read::ADVICE;
use crate::diagnostics::Severity;
use crate::document::{Fields, Node};

/// Longer than that nobody is remembered: 180 days, as Hydra has it.
const LONGEST_SESSION: Duration = Duration::from_secs(180 * 24 * 3600);

/// Longer than that a used refresh token does not work again, as Hydra has it.
const LONGEST_GRACE: Duration = Duration::from_secs(300);

/// `ttl`, `oauth2.pkce` and `oauth2.grant.refresh_token`, as far as they are about people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// `ttl.login_consent_request`: how long a login, and then a consent, may take. Default 30 min.
    pub ttl_request: Duration,
    /// `ttl.authentication_session`: how long a login is remembered that is to be remembered without
    /// an end; 180 days at most. Default 720 h.
    pub ttl_session: Duration,
    /// `ttl.auth_code`: how long an authorization code counts. Default 10 min.
    pub ttl_code: Duration,
    /// `ttl.id_token`: how long id tokens count. Default 1 h.
    pub ttl_id_token: Duration,
    /// `ttl.refresh_token`: how long refresh tokens count; `-1`: without an end. Default 720 h.
    pub ttl_refresh_token: Option<Duration>,
    /// `ttl.device_user_code`: how long the codes of a device count. Default 10 min.
    pub ttl_device_code: Duration,
    /// `oauth2.device_authorization.token_polling_interval`: how long a device waits between two
    /// questions. Default 5s.
    pub device_interval: Duration,
    /// `oidc.dynamic_client_registration.enabled`: whether clients may register themselves. Default
    /// false.
    pub registration_enabled: bool,
    /// `oidc.dynamic_client_registration.added_audience` (ours): what clients that registered
    /// themselves may have tokens for. Default nothing.
    pub added_audience: Vec<String>,
    /// `oidc.dynamic_client_registration.added_scope` (ours): the scopes that they may ask for besides
    /// those that they registered. Default none.
    pub added_scope: Vec<String>,
    /// `oauth2.pkce.enforced`: whether every code needs a challenge. Default false.
    pub pkce_enforced: bool,
    /// `oauth2.pkce.enforced_for_public_clients`: whether those of clients without a secret do.
    /// Default false.
    pub pkce_enforced_for_public: bool,
    /// `oauth2.par.required` (ours): whether browsers may only bring requests that were pushed (RFC 9126).
    /// Default false.
    pub par_required: bool,
    /// `oauth2.grant.refresh_token.rotation_grace_period`: how long a refresh token that was used
    /// works again; 5 min at most. Default 0s.
    pub grace_period: Duration,
    /// `oauth2.grant.refresh_token.rotation_grace_reuse_count`: how often it does; 0: any number.
    /// Default 0.
    pub grace_uses: u32,
}

impl Default for People {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self {
            ttl_request: Duration::from_secs(30 * 60),
            ttl_session: hours(720),
            ttl_code: Duration::from_secs(10 * 60),
            ttl_id_token: hours(1),
            ttl_refresh_token: Some(hours(720)),
            ttl_device_code: Duration::from_secs(10 * 60),
            device_interval: Duration::from_secs(5),
            registration_enabled: false,
            added_audience: Vec::new(),
            added_scope: Vec::new(),
            pkce_enforced: false,
            pkce_enforced_for_public: false,
            par_required: false,
            grace_period: Duration::ZERO,
            grace_uses: 0,
        }
    }
}

impl People {
    /// Reads `ttl`.
    pub(super) fn read_ttl(&mut self, fields: &mut Fields<'_>) {
        let mut read = |key: &'static str, value: &mut Duration| {
            if let Some(lifetime) = fields.duration(key) {
                if lifetime.is_zero() {
                    fields.error(key, "expects a time above zero");
                }
                *value = lifetime;
            }
        };
        read("login_consent_request", &mut self.ttl_request);
        read("authentication_session", &mut self.ttl_session);
        read("auth_code", &mut self.ttl_code);
        read("id_token", &mut self.ttl_id_token);
        read("device_user_code", &mut self.ttl_device_code);
        self.ttl_session = self.ttl_session.min(LONGEST_SESSION);
        let written = fields.node("refresh_token").and_then(Node::scalar);
        if written == Some("-1") {
            self.ttl_refresh_token = None;
        } else if let Some(lifetime) = fields.duration("refresh_token") {
            if lifetime.is_zero() {
                fields.error("refresh_token", "expects a time above zero, or -1");
            }
            self.ttl_refresh_token = Some(lifetime);
        }
    }

    /// Reads `oauth2.device_authorization`.
    pub(super) fn read_device(&mut self, fields: &mut Fields<'_>) {
        let interval = fields.duration("token_polling_interval");
        self.device_interval = interval.unwrap_or(self.device_interval);
        fields.unserved(Severity::Warning, &["user_code"], ADVICE);
    }

    /// Reads `oauth2.pkce`.
    pub(super) fn read_pkce(&mut self, fields: &mut Fields<'_>) {
        self.pkce_enforced = fields.boolean("enforced").unwrap_or(false);
        let for_public = fields.boolean("enforced_for_public_clients");
        self.pkce_enforced_for_public = for_public.unwrap_or(false);
    }

    /// Reads `oauth2.par`.
    pub(super) fn read_par(&mut self, fields: &mut Fields<'_>) {
        self.par_required = fields.boolean("required").unwrap_or(false);
    }

    /// Reads `oauth2.grant`.
    pub(super) fn read_grant(&mut self, fields: &mut Fields<'_>) {
        fields.map("refresh_token", |refresh| {
            let period = refresh.duration("rotation_grace_period");
            self.grace_period = period.unwrap_or_default();
            if self.grace_period > LONGEST_GRACE {
                refresh.error("rotation_grace_period", "5m at most");
            }
            let uses = refresh.number("rotation_grace_reuse_count");
            self.grace_uses = uses.unwrap_or(0);
        });
    }
}
