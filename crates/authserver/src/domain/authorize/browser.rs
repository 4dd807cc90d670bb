//! What a browser keeps for us, by Hydra's names.

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::digest::{self, SHA256};

use crate::{domain::Authority, options::SameSite};

/// What a browser brings.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    /// Its cookies, of each name the first.
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a browser is to keep. Scripts never see it.
#[derive(Debug)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// For how long; zero: it forgets it.
    pub(crate) max_age: Duration,
    /// Below which path it is sent.
    pub(crate) path: String,
    /// Whether it is for browsers that do not know cookies for all sites.
    pub(crate) is_legacy: bool,
}

/// What binds a browser to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Csrf {
    /// To a login.
    Login,
    /// To a consent.
    Consent,
    /// To the page for codes of devices.
    Device,
}

impl Authority {
    /// The cookie of the login session.
    pub(in crate::domain) fn session_cookie_name(&self) -> String {
        format!("{}{}", self.options.cookies.session, self.suffix())
    }

    /// Remembers the login session.
    pub(super) fn session_cookie(&self, value: String, max_age: Duration) -> Cookie {
        Cookie {
            name: self.session_cookie_name(),
            value,
            max_age,
            path: self.options.cookies.session_path.clone(),
            is_legacy: false,
        }
    }

    /// Forgets the login session.
    pub(in crate::domain) fn no_session_cookie(&self) -> Cookie {
        self.session_cookie("none".to_owned(), Duration::ZERO)
    }

    /// The cookie that binds a browser to what a client asks for, and its likeness for old ones.
    pub(in crate::domain) fn csrf_cookies(
        &self,
        csrf: Csrf,
        client_id: &str,
        value: &str,
    ) -> Vec<Cookie> {
        let name = self.csrf_cookie_name(csrf, client_id);
        let cookie = |name, is_legacy| Cookie {
            name,
            value: value.to_owned(),
            max_age: self.options.people.ttl_request,
            path: "/".to_owned(),
            is_legacy,
        };
        let legacy = self.is_for_old_browsers().then(|| legacy(&name));
        let mut cookies = vec![cookie(name, false)];
        cookies.extend(legacy.map(|name| cookie(name, true)));
        cookies
    }

    /// The value of the same, as a browser brings it.
    pub(in crate::domain) fn csrf_of<'a>(
        &self,
        csrf: Csrf,
        client_id: &str,
        browser: &'a Browser,
    ) -> Option<&'a str> {
        let name = self.csrf_cookie_name(csrf, client_id);
        let brought = browser.cookies.get(&name);
        let older = || browser.cookies.get(&legacy(&name));
        let brought = match self.is_for_old_browsers() {
            true => brought.or_else(older),
            false => brought,
        };
        brought.map(String::as_str)
    }

    /// Old browsers take `None` for `Strict`, and keep what says neither.
    fn is_for_old_browsers(&self) -> bool {
        self.options.cookies.for_old_browsers && self.options.same_site() == SameSite::None
    }

    /// One for each client, so that two clients in one browser do not disturb each other.
    fn csrf_cookie_name(&self, csrf: Csrf, client_id: &str) -> String {
        let names = &self.options.cookies;
        let name = match csrf {
            Csrf::Login => &names.login_csrf,
            Csrf::Consent => &names.consent_csrf,
            // Whose client it is shows with the code.
            Csrf::Device => return format!("{}{}", names.device_csrf, self.suffix()),
        };
        let digest = digest::digest(&SHA256, client_id.as_bytes());
        let number = match digest.as_ref() {
            [a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        format!("{name}{}_{number}", self.suffix())
    }

    const fn suffix(&self) -> &'static str {
        match self.options.is_trial {
            true => "_dev",
            false => "",
        }
    }
}

/// By Hydra's name.
fn legacy(name: &str) -> String {
    format!("{name}_legacy")
}
