//! What becomes of the service's answer: headers of the request, cookies of the response, or the
//! response itself.

use carnet_config::routing::middleware::ForwardAuth as Options;
use carnet_config::routing::middleware::forward_auth::may_be_set;
use carnet_config::rule::Pattern;
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderName, LOCATION, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::super::lookalikes::{collapsed, remove_lookalikes};
use crate::body::{Request, Response};
use crate::canonical::canonical;
use crate::error::Fault;
use crate::service::{Minted, tokens};

/// Of the connection to the service.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    TE,
    HeaderName::from_static("trailers"),
    TRANSFER_ENCODING,
    UPGRADE,
];

/// How answers are read.
#[derive(Debug)]
pub(super) struct Answer {
    address: Url,
    copied: Vec<HeaderName>,
    pattern: Option<Pattern>,
    cookies: Vec<String>,
    user: Option<HeaderName>,
    keeps_location: bool,
}

impl Answer {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let user = options.header_field.iter().cloned().collect::<Vec<_>>();
        Ok(Self {
            address: options.address.clone(),
            copied: names(&options.auth_response_headers)?,
            pattern: options.auth_response_headers_regex.clone(),
            cookies: options.add_auth_cookies_to_response.clone(),
            user: names(&user)?.pop(),
            keeps_location: options.preserve_location_header,
        })
    }

    /// The user's name.
    pub(super) fn user(&self, answer: &Response) -> Option<String> {
        let value = answer.headers().get(self.user.as_ref()?)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// Puts what the service says in the place of what the caller says, in every spelling, also where
    /// the service says nothing.
    pub(super) fn stamp(&self, request: &mut Request, answer: &HeaderMap) {
        let is_replaced = self.put(request.headers_mut(), answer);
        if is_replaced {
            // It is no longer the token that the gateway fetched.
            request.extensions_mut().remove::<Minted>();
        }
    }

    /// The same for the headers alone. Tells whether `Authorization` is among them.
    pub(super) fn put(&self, headers: &mut HeaderMap, answer: &HeaderMap) -> bool {
        let matched: Vec<HeaderName> = match &self.pattern {
            Some(pattern) => {
                let asked = headers.keys().filter(|name| is_matched(pattern, name));
                let answered = answer.keys().filter(|name| is_matched(pattern, name));
                asked.chain(answered).cloned().collect()
            }
            None => Vec::new(),
        };
        let mut is_replaced = false;
        for name in self.copied.iter().chain(&matched) {
            is_replaced |= *name == AUTHORIZATION;
            remove_lookalikes(headers, name);
            for value in answer.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        is_replaced
    }

    /// Gives the client the cookies of the service that are listed, and nobody else's of their names.
    pub(super) fn add_cookies(&self, response: &mut Response, answer: &HeaderMap) {
        if self.cookies.is_empty() || !answer.contains_key(SET_COOKIE) {
            return;
        }
        let is_listed = |value: &HeaderValue| {
            let name = cookie_name(value.as_bytes());
            self.cookies.iter().any(|cookie| cookie.as_bytes() == name)
        };
        let headers = response.headers_mut();
        let own = headers.get_all(SET_COOKIE).iter();
        let own: Vec<HeaderValue> = own.filter(|value| !is_listed(value)).cloned().collect();
        headers.remove(SET_COOKIE);
        let added = answer.get_all(SET_COOKIE).iter();
        for value in own.iter().chain(added.filter(|value| is_listed(value))) {
            headers.append(SET_COOKIE, value.clone());
        }
    }

    /// The answer as the client gets it.
    pub(super) fn refused(&self, mut answer: Response) -> Result<Response, Fault> {
        let headers = answer.headers_mut();
        let listed: Vec<HeaderName> = tokens(headers, &CONNECTION)
            .filter_map(|name| name.parse().ok())
            .collect();
        for name in listed.iter().chain(&HOP_BY_HOP) {
            headers.remove(name);
        }
        if !self.keeps_location
            && let Some(location) = headers.get(LOCATION)
        {
            let location = location.to_str().map_err(super::no_answer)?;
            // What is whole already stays to the letter.
            if Url::parse(location).is_err() {
                let whole = self.address.join(location).map_err(super::no_answer)?;
                let whole = HeaderValue::try_from(whole.as_str()).map_err(super::no_answer)?;
                headers.insert(LOCATION, whole);
            }
        }
        *answer.version_mut() = http::Version::default();
        Ok(answer)
    }
}

/// Whether a name matches as Go writes it, also if it only looks like one that does.
fn is_matched(pattern: &Pattern, name: &HeaderName) -> bool {
    let alike: Vec<u8> = collapsed(name).collect();
    let alike = HeaderName::from_bytes(&alike);
    let matches =
        |name: &HeaderName| pattern.is_match(&canonical(name)) && may_be_set(name.as_str());
    matches(name) || alike.is_ok_and(|alike| matches(&alike))
}

/// The name in a `Set-Cookie`.
fn cookie_name(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| matches!(byte, b'=' | b';'));
    value[..end.unwrap_or(value.len())].trim_ascii()
}

/// Names of headers. The error is one sentence.
pub(super) fn names(names: &[String]) -> Result<Vec<HeaderName>, String> {
    let parse = |name: &String| {
        HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))
    };
    names.iter().map(parse).collect()
}
