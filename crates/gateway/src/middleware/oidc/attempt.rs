//! Logins that have begun: what a browser keeps, sealed, until it comes back. Each has a cookie of
//! its own, named after its `state`, so that two tabs do not end each other's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_config::routing::service::Cookie;
use carnet_jose::base64url;
use carnet_oauth::{Clock, Random};
use http::{HeaderMap, HeaderValue};
use quick_cache::sync::Cache;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};

use super::session::sealed::Sealed;
use crate::cookies;

/// Attempts of a browser; the oldest end beyond it, as servers refuse requests with too many cookies.
const MOST: usize = 6;

/// Attempts that came back, remembered; the coldest are forgotten beyond it.
const USED: usize = 10_000;

/// Characters of a cookie's name that are its attempt's.
const SHORT: usize = 11;

/// One login.
pub(super) struct Attempt {
    /// Comes back with the answer.
    pub(super) state: String,
    /// Comes back in the ID token.
    pub(super) nonce: String,
    /// What the challenge was made of (RFC 7636).
    pub(super) verifier: Option<String>,
    /// What was asked for.
    pub(super) url: String,
    /// Where the answer was to come.
    pub(super) redirect_uri: String,
}

/// The logins of a middleware that have begun.
pub(super) struct Attempts {
    cookie: Cookie,
    prefix: String,
    seconds: i64,
    sealed: Arc<Sealed>,
    used: Cache<String, ()>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Attempts {
    /// `otherwise`: what the cookie is called where it has no name. The error is one sentence.
    pub(super) fn new(
        (cookie, otherwise): (&Cookie, &str),
        sealed: Arc<Sealed>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, String> {
        let name = cookies::name(cookie, otherwise)?;
        Ok(Self {
            cookie: cookie.clone(),
            prefix: format!("{name}-"),
            seconds: cookie.max_age,
            sealed,
            used: Cache::new(USED),
            clock,
            random,
        })
    }

    /// A new one.
    pub(super) fn begin(&self, url: String, redirect_uri: String, pkce: bool) -> Attempt {
        Attempt {
            state: self.secret(),
            nonce: self.secret(),
            verifier: pkce.then(|| self.secret()),
            url,
            redirect_uri,
        }
    }

    /// The `Set-Cookie` fields that keep it; `sent`: what the browser keeps already.
    pub(super) fn keep(&self, attempt: &Attempt, sent: &HeaderMap) -> Vec<HeaderValue> {
        let name = self.name(&attempt.state);
        let life = Duration::from_secs(self.seconds.unsigned_abs());
        let text = attempt.written();
        let value = self
            .sealed
            .seal(&name, text.as_bytes(), self.clock.now() + life);
        let mut fields = self.room(sent);
        fields.extend(cookies::set(&self.cookie, &name, &value, self.seconds));
        fields
    }

    /// The one of this state, once; `None`: this browser has not begun it, or too long ago.
    pub(super) fn take(&self, state: &str, sent: &HeaderMap) -> Option<Attempt> {
        let name = self.name(state);
        let opened =
            cookies::values(sent, &name).find_map(|value| self.sealed.open(&name, value))?;
        let attempt = Attempt::read(&opened.bytes)?;
        let is_new = attempt.state == state && self.used.get(&attempt.state).is_none();
        is_new.then(|| {
            self.used.insert(attempt.state.clone(), ());
            attempt
        })
    }

    /// The field that ends the cookie of a state, where the browser has one.
    pub(super) fn end(&self, state: &str, sent: &HeaderMap) -> Option<HeaderValue> {
        let name = self.name(state);
        cookies::first(sent, &name)?;
        cookies::set(&self.cookie, &name, "", -1)
    }

    /// Takes the cookies of all attempts out of a request.
    pub(super) fn without(&self, headers: &mut HeaderMap) {
        cookies::take_off(headers, |name| self.is_one(name));
    }

    fn is_one(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.prefix);
        rest.is_some_and(|rest| rest.len() == SHORT)
    }

    /// The fields that end the oldest ones, so that there is room for one more.
    fn room(&self, sent: &HeaderMap) -> Vec<HeaderValue> {
        let until = |name: &str| {
            let value = cookies::first(sent, name)?;
            self.sealed.open(name, value).map(|opened| opened.until)
        };
        let own = cookies::names(sent).filter(|name| self.is_one(name));
        let mut own: Vec<&str> = own.collect();
        // What does not open goes first.
        own.sort_by_cached_key(|name| until(name));
        own.truncate((own.len() + 1).saturating_sub(MOST));
        let ended = own.iter();
        ended
            .filter_map(|name| cookies::set(&self.cookie, name, "", -1))
            .collect()
    }

    fn name(&self, state: &str) -> String {
        let hash = digest(&SHA256, state.as_bytes());
        let mut short = base64url::encode(hash);
        short.truncate(SHORT);
        format!("{}{short}", self.prefix)
    }

    fn secret(&self) -> String {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        base64url::encode(bytes)
    }
}

impl Attempt {
    /// What its session is called: a digest, as whoever saw the answer knows the state.
    pub(super) fn name(&self) -> String {
        base64url::encode(digest(&SHA256, self.state.as_bytes()))
    }

    fn written(&self) -> Zeroizing<String> {
        let value = json!({
            "state": self.state,
            "nonce": self.nonce,
            "verifier": self.verifier,
            "url": self.url,
            "redirect_uri": self.redirect_uri,
        });
        Zeroizing::new(value.to_string())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        Some(Self {
            state: text("state")?,
            nonce: text("nonce")?,
            verifier: text("verifier"),
            url: text("url")?,
            redirect_uri: text("redirect_uri")?,
        })
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
