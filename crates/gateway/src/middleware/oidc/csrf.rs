//! `csrf`: what changes something must come from a page of the service. A cookie that its scripts can
//! read and other sites' cannot is sent back in a header; it is sealed for one session, so that nobody
//! who may set cookies of the host brings his own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use carnet_config::routing::middleware::oidc::Csrf as Options;
use carnet_config::routing::service::Cookie;
use carnet_oauth::Clock;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::session::Session;
use super::session::sealed::Sealed;
use crate::cookies;
use crate::error::{Fault, Reason};
use crate::host;

/// As in the original.
const COOKIE: &str = "traefikee-csrf-token";

/// What is asked of requests.
pub(super) struct Csrf {
    cookie: Cookie,
    name: String,
    header: HeaderName,
    sealed: Arc<Sealed>,
    expiry: Duration,
    clock: Arc<dyn Clock>,
}

impl Csrf {
    /// `expiry`: how long a session lives. The error is one sentence.
    pub(super) fn new(
        options: &Options,
        sealed: Arc<Sealed>,
        expiry: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let name = cookies::name(&options.cookie, COOKIE)?;
        let header = HeaderName::try_from(&options.header_name);
        Ok(Self {
            cookie: options.cookie.clone(),
            name,
            header: header.map_err(|_| "`csrf.headerName` is no name of a header")?,
            sealed,
            expiry,
            clock,
        })
    }

    /// The field that gives a session its cookie.
    pub(super) fn keep(&self, session: &Session) -> Option<HeaderValue> {
        let until = self.clock.now() + self.expiry;
        let value = self.sealed.seal(&self.place(), &whose(session), until);
        let seconds = i64::try_from(self.expiry.as_secs()).unwrap_or(i64::MAX);
        cookies::set(&self.cookie, &self.name, &value, seconds)
    }

    /// The field that ends the cookie, where there is one.
    pub(super) fn end(&self, sent: &HeaderMap) -> Option<HeaderValue> {
        cookies::first(sent, &self.name)?;
        cookies::set(&self.cookie, &self.name, "", -1)
    }

    /// Takes its cookie out of a request, whatever it is worth.
    pub(super) fn without(&self, headers: &mut HeaderMap) {
        cookies::take_off(headers, |name| name == self.name);
    }

    /// Whether a request has the cookie of its session.
    pub(super) fn has(&self, session: &Session, sent: &HeaderMap) -> bool {
        cookies::values(sent, &self.name).any(|value| self.is_of(session, value))
    }

    /// # Errors
    /// When a request that changes something does not say what its cookie does.
    pub(super) fn check(
        &self,
        session: &Session,
        method: &Method,
        sent: &HeaderMap,
    ) -> Result<(), Fault> {
        if method.is_safe() {
            return Ok(());
        }
        let said = sent.get(&self.header).map(host::text).unwrap_or_default();
        let is_same =
            |value: &str| verify_slices_are_equal(value.as_bytes(), said.as_bytes()).is_ok();
        let is_right = cookies::values(sent, &self.name).any(is_same) && self.is_of(session, said);
        match is_right {
            true => Ok(()),
            false => Err(Fault::new(Reason::CallerForbidden)
                .because("the header against forged requests is missing or wrong")),
        }
    }

    fn is_of(&self, session: &Session, value: &str) -> bool {
        let opened = self.sealed.open(&self.place(), value);
        opened.is_some_and(|opened| *opened.bytes == whose(session))
    }

    fn place(&self) -> String {
        format!("csrf {}", self.name)
    }
}

/// What stays the same of a session, and is no other's.
fn whose(session: &Session) -> Vec<u8> {
    let began = session.created_at.duration_since(UNIX_EPOCH);
    let millis = began.unwrap_or_default().as_millis();
    let sub = session.claims.get("sub").unwrap_or(&Value::Null);
    let millis = u64::try_from(millis).unwrap_or_default();
    json!([sub, millis]).to_string().into_bytes()
}

impl fmt::Debug for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csrf")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
