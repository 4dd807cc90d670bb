//! `serve.cookies`: what the cookies of people's browsers are called, and where they go.

use crate::document::Fields;

/// `serve.cookies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookies {
    /// `domain`: the domain to whose hosts they go. Default: the host of the server alone.
    pub domain: Option<String>,
    /// `secure`: they go over https alone in a trial, too. Default false.
    pub secure: bool,
    /// `same_site_mode`: `Strict`, `Lax` or `None`. Default `None` over https, `Lax` without.
    pub same_site: Option<SameSite>,
    /// `same_site_legacy_workaround`: what binds a browser to its request comes a second time, without
    /// that word, for browsers of before 2020 that do not know `None`. Default false.
    pub for_old_browsers: bool,
    /// `names.login_csrf`; a trial adds `_dev` to each name. Default `ory_hydra_login_csrf`.
    pub login_csrf: String,
    /// `names.consent_csrf`. Default `ory_hydra_consent_csrf`.
    pub consent_csrf: String,
    /// `names.device_csrf`. Default `ory_hydra_device_csrf`.
    pub device_csrf: String,
    /// `names.session`. Default `ory_hydra_session`.
    pub session: String,
    /// `paths.session`: the path below which the login session is sent. Default `/`.
    pub session_path: String,
}

/// `same_site_mode`: which other sites may send people here with their cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// `Strict`: none. Applications for logins on other sites cannot send people back then.
    Strict,
    /// `Lax`: by links and redirects.
    Lax,
    /// `None`: all. Browsers want https for it.
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

/// Reads the section.
pub(super) fn read(fields: &mut Fields<'_>) -> Cookies {
    let mut cookies = Cookies {
        domain: part(fields, "domain", |_| true),
        secure: fields.boolean("secure").unwrap_or(false),
        ..Cookies::default()
    };
    let modes = [
        ("Strict", SameSite::Strict),
        ("Lax", SameSite::Lax),
        ("None", SameSite::None),
    ];
    cookies.same_site = fields.word("same_site_mode", &modes);
    let workaround = fields.boolean("same_site_legacy_workaround");
    cookies.for_old_browsers = workaround.unwrap_or(false);
    fields.map("names", |names| {
        for (key, name) in [
            ("login_csrf", &mut cookies.login_csrf),
            ("consent_csrf", &mut cookies.consent_csrf),
            ("device_csrf", &mut cookies.device_csrf),
            ("session", &mut cookies.session),
        ] {
            if let Some(given) = part(names, key, |text| !text.contains('=')) {
                *name = given;
            }
        }
    });
    fields.map("paths", |paths| {
        if let Some(path) = part(paths, "session", |text| text.starts_with('/')) {
            cookies.session_path = path;
        }
    });
    cookies
}

/// A text that can stand in a `Set-Cookie`.
fn part(
    fields: &mut Fields<'_>,
    key: &'static str,
    is_fit: impl Fn(&str) -> bool,
) -> Option<String> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    if !text.bytes().all(is_part) || !is_fit(&text) {
        fields.error(key, "cannot stand in a cookie");
    }
    Some(text)
}
