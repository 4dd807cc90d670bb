//! What the server is told about the cookies of people's browsers.

/// `serve.cookies`: what cookies are called, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookies {
    /// `domain`: the domain to whose hosts they go; the host of the server alone when absent.
    pub domain: Option<String>,
    /// `secure`: they go over https alone in a trial, too.
    pub secure: bool,
    /// `same_site_mode`: which other sites may send people here with their cookies; all over https,
    /// and those that send them by links and redirects without, when absent.
    pub same_site: Option<SameSite>,
    /// `same_site_legacy_workaround`: what binds a browser to its request comes a second time, without
    /// that word, for browsers that do not know `None`.
    pub for_old_browsers: bool,
    /// `names.login_csrf`.
    pub login_csrf: String,
    /// `names.consent_csrf`.
    pub consent_csrf: String,
    /// `names.device_csrf`.
    pub device_csrf: String,
    /// `names.session`.
    pub session: String,
    /// `paths.session`: the path below which the login session is sent.
    pub session_path: String,
}

/// Which other sites may send people here with their cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Those that do it by links and redirects.
    Lax,
    /// All.
    None,
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            domain: None,
            secure: false,
            same_site: None,
            for_old_browsers: false,
            login_csrf: "ory_hydra_login_csrf".to_owned(),
            consent_csrf: "ory_hydra_consent_csrf".to_owned(),
            device_csrf: "ory_hydra_device_csrf".to_owned(),
            session: "ory_hydra_session".to_owned(),
            session_path: "/".to_owned(),
        }
    }
}
