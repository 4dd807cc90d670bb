//! `sticky`: a cookie that leads a client back to whoever answered it first. Names and values are
//! Traefik's, so that clients stay where they are when one takes the other's place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use carnet_config::routing::service::Cookie;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::body::Response;
use crate::cookies;

/// The cookie of a service and what it says of each member.
#[derive(Debug)]
pub(super) struct Sticky {
    name: String,
    /// Values by the index of the member they lead to.
    members: BTreeMap<String, usize>,
    /// What makes a client stay, by the index of the member.
    fields: Vec<HeaderValue>,
}

impl Sticky {
    /// The cookie of a service, whose qualified name it may be called after, and whose members
    /// have these names. The error is one sentence.
    pub(super) fn new<'a>(
        options: &Cookie,
        service: &str,
        members: impl Iterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let mut sticky = Self {
            name: match &options.name {
                Some(name) => cookies::token(name),
                None => generated_name(service),
            },
            members: BTreeMap::new(),
            fields: Vec::new(),
        };
        for (index, member) in members.enumerate() {
            let value = value(member);
            let field = cookies::set(options, &sticky.name, &value, options.max_age);
            let field = field.ok_or("its cookie has characters that no header may hold")?;
            sticky.fields.push(field);
            sticky.members.entry(value).or_insert(index);
        }
        Ok(sticky)
    }

    /// The member that a request's cookie leads to.
    pub(super) fn member(&self, headers: &HeaderMap) -> Option<usize> {
        let value = cookies::first(headers, &self.name)?;
        let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        self.members.get(quoted.unwrap_or(value)).copied()
    }

    /// Makes the client come back to the member that answered.
    pub(super) fn keep(&self, response: &mut Response, member: usize) {
        if let Some(field) = self.fields.get(member) {
            response.headers_mut().append(SET_COOKIE, field.clone());
        }
    }
}

/// `_` and the first five digits of a digest.
fn generated_name(service: &str) -> String {
    let seed = format!("_TRAEFIK_BACKEND_{service}");
    let digest = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, seed.as_bytes());
    format!("_{}", hexadecimal(digest.as_ref(), 5))
}

/// The first sixteen digits of a digest of a member's name.
fn value(member: &str) -> String {
    hexadecimal(digest::digest(&SHA256, member.as_bytes()).as_ref(), 16)
}

fn hexadecimal(bytes: &[u8], length: usize) -> String {
    let mut digits = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits.truncate(length);
    digits
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_config::routing::service::SameSite;
    use http::header::COOKIE;

    use super::*;

    #[test]
    fn names_and_values_are_traefiks() {
        let service = "apps-whoami-d027988890c9025cffce@kubernetescrd";
        assert_eq!(generated_name(service), "_50772");
        assert_eq!(value("http://10.244.0.19:80"), "533fcec0a4097d03");
        assert_eq!(cookies::token("my cookie=1;"), "my_cookie_1_");
    }

    #[test]
    fn the_first_cookie_of_the_name_counts() {
        let options = Cookie {
            name: Some("c".to_owned()),
            secure: true,
            http_only: true,
            same_site: Some(SameSite::Lax),
            max_age: -1,
            path: "/x".to_owned(),
            domain: Some("a.test".to_owned()),
        };
        let sticky = Sticky::new(&options, "s@file", ["a", "b"].into_iter()).unwrap();
        let (a, b) = (value("a"), value("b"));
        for (fields, member) in [
            (vec![format!("c={b}")], Some(1)),
            (vec![format!("x=1; c=\"{a}\"; c={b}")], Some(0)),
            (vec![format!("cc={a}"), format!(" c={b}")], Some(1)),
            (vec!["c=nobody".to_owned()], None),
            (vec![], None),
        ] {
            let mut headers = HeaderMap::new();
            for field in &fields {
                headers.append(COOKIE, field.parse().unwrap());
            }
            assert_eq!(sticky.member(&headers), member, "{fields:?}");
        }
        let expected =
            format!("c={b}; Path=/x; Domain=a.test; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
        assert_eq!(sticky.fields[1], expected);
    }
}
