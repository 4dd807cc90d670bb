//! What the server is told about flows for people.

use std::time::Duration;

/// Where people log in and consent, for how long that counts, and how codes are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// `urls.login`: the login application; a page that says there is none when absent.
    pub login_url: Option<String>,
    /// `urls.consent`: the consent application.
    pub consent_url: Option<String>,
    /// `urls.logout`: the logout application.
    pub logout_url: Option<String>,
    /// `urls.error`: where errors go that go to no client; a page of our own when absent.
    pub error_url: Option<String>,
    /// `urls.post_logout_redirect`: where a browser goes after logout that was told nothing else.
    pub post_logout_redirect_url: Option<String>,
    /// `urls.device.verification`: where people give the codes of devices.
    pub device_verification_url: Option<String>,
    /// `urls.device.success`: where they go once that is done.
    pub device_success_url: Option<String>,
    /// `ttl.device_user_code`: how long the codes of a device count.
    pub ttl_device_code: Duration,
    /// `oauth2.device_authorization.token_polling_interval`: how long a device waits between two
    /// questions.
    pub device_interval: Duration,
    /// `ttl.login_consent_request`: how long a person has for each of both.
    pub ttl_request: Duration,
    /// `ttl.authentication_session`: how long a login is remembered that is to be remembered without
    /// an end.
    pub ttl_session: Duration,
    /// `ttl.auth_code`.
    pub ttl_code: Duration,
    /// `ttl.id_token`.
    pub ttl_id_token: Duration,
    /// `ttl.refresh_token`; `None`: refresh tokens do not end.
    pub ttl_refresh_token: Option<Duration>,
    /// `oidc.dynamic_client_registration.enabled`: whether clients may register themselves.
    pub registration_enabled: bool,
    /// `oidc.dynamic_client_registration.added_audience` (ours): what clients that registered
    /// themselves may have tokens for.
    pub added_audience: Vec<String>,
    /// `oidc.dynamic_client_registration.added_scope` (ours): the scopes that they may ask for besides
    /// those that they registered.
    pub added_scope: Vec<String>,
    /// `oauth2.pkce.enforced`.
    pub pkce_enforced: bool,
    /// `oauth2.pkce.enforced_for_public_clients`.
    pub pkce_enforced_for_public: bool,
    /// `oauth2.par.required` (ours): whether browsers may only bring requests that were pushed (RFC 9126).
    pub par_required: bool,
    /// `oauth2.grant.refresh_token.rotation_grace_period`: how long a used refresh token works again.
    pub grace_period: Duration,
    /// `oauth2.grant.refresh_token.rotation_grace_reuse_count`: how often it does; 0: any number.
    pub grace_uses: u32,
}

impl Default for People {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            login_url: None,
            consent_url: None,
            logout_url: None,
            error_url: None,
            post_logout_redirect_url: None,
            device_verification_url: None,
            device_success_url: None,
            ttl_device_code: minutes(10),
            device_interval: Duration::from_secs(5),
            ttl_request: minutes(30),
            ttl_session: hours(720),
            ttl_code: minutes(10),
            ttl_id_token: hours(1),
            ttl_refresh_token: Some(hours(720)),
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
