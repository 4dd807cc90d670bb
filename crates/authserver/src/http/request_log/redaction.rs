//! What a line about a request may hold. Credentials never; what nobody vouches for only when the
//! administrator asks for it.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::ports::RequestLog;

/// Headers without secrets, which are always written.
const HARMLESS: [&str; 29] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "expect",
    "expires",
    "host",
    "origin",
    "pragma",
    "retry-after",
    "traceparent",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "x-content-type-options",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// Headers that hold credentials, or URLs that may, which are never written.
const CREDENTIALS: [&str; 10] = [
    "authorization",
    "cookie",
    "dpop",
    "link",
    "location",
    "proxy-authorization",
    "referer",
    "set-cookie",
    "x-api-key",
    "x-session-token",
];

/// Parameters whose values are credentials, or lead to some.
const SECRETS: [&str; 24] = [
    "access_token",
    "assertion",
    "challenge",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "consent_challenge",
    "consent_verifier",
    "device_challenge",
    "device_code",
    "device_verifier",
    "id_token",
    "id_token_hint",
    "login_challenge",
    "login_verifier",
    "logout_challenge",
    "logout_token",
    "logout_verifier",
    "password",
    "refresh_token",
    "state",
    "token",
    "user_code",
];

/// What is written of requests.
#[derive(Debug)]
pub(super) struct Redaction {
    leaks: bool,
    text: String,
    never: BTreeSet<String>,
}

impl Redaction {
    pub(super) fn new(log: &RequestLog) -> Self {
        let more = log.redacted_headers.iter();
        let never = CREDENTIALS.iter().map(|&name| name.to_owned());
        Self {
            leaks: log.leaks,
            text: log.redaction_text.clone(),
            never: never
                .chain(more.map(|name| name.to_ascii_lowercase()))
                .collect(),
        }
    }

    /// Headers as a JSON object, of several with one name the first.
    pub(super) fn headers(&self, headers: &HeaderMap) -> String {
        let mut shown = Map::new();
        for name in headers.keys() {
            let value = match self.shows(name.as_str()) {
                true => headers.get(name).map(|value| value.as_bytes()),
                false => None,
            };
            let value = value.map_or_else(
                || self.text.clone(),
                |value| String::from_utf8_lossy(value).into_owned(),
            );
            shown.insert(name.as_str().to_owned(), Value::String(value));
        }
        Value::Object(shown).to_string()
    }

    fn shows(&self, name: &str) -> bool {
        !self.never.contains(name) && (self.leaks || HARMLESS.contains(&name))
    }

    /// A query.
    pub(super) fn query(&self, query: &str) -> String {
        if !self.leaks {
            return self.text.clone();
        }
        let mut shown = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let is_secret = SECRETS.contains(&name.to_ascii_lowercase().as_str());
            let value = if is_secret {
                self.text.as_str()
            } else {
                &*value
            };
            shown.append_pair(&name, value);
        }
        shown.finish()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn redaction(leaks: bool) -> Redaction {
        Redaction::new(&RequestLog {
            leaks,
            redaction_text: "***".to_owned(),
            redacted_headers: vec!["X-Ours".to_owned()],
        })
    }

    // Holds SE-05.
    #[test]
    fn credentials_are_never_written_and_the_unknown_only_when_asked_for() {
        let mut headers = HeaderMap::new();
        for name in ["accept", "authorization", "x-ours", "x-custom"] {
            headers.insert(name, HeaderValue::from_static("value"));
        }
        assert_eq!(
            redaction(false).headers(&headers),
            r#"{"accept":"value","authorization":"***","x-ours":"***","x-custom":"***"}"#
        );
        assert_eq!(
            redaction(true).headers(&headers),
            r#"{"accept":"value","authorization":"***","x-ours":"***","x-custom":"value"}"#
        );
        let query = "a=1&client_secret=canary&Token=canary";
        assert_eq!(redaction(false).query(query), "***");
        let shown = redaction(true).query(query);
        assert_eq!(shown, "a=1&client_secret=***&Token=***");
    }
}
