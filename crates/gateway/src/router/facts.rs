//! What rules look at, taken from a request once and before any middleware changes it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::host;

/// The conditions' view of a request.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// Lower case, without port.
    pub(crate) host: Cow<'a, str>,
    /// See [`routing_path`].
    pub(crate) path: Cow<'a, str>,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The TCP peer.
    pub(crate) peer: IpAddr,
    raw_query: &'a str,
    query: OnceCell<Vec<(String, String)>>,
}

impl<'a> Facts<'a> {
    /// `host` as the client wrote it, the path as it goes to the backend.
    pub(crate) fn new<B>(request: &'a http::Request<B>, host: &'a str, peer: IpAddr) -> Self {
        let host = host::bare(host::split(host).0);
        Self {
            host: match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
                true => Cow::Owned(host.to_ascii_lowercase()),
                false => Cow::Borrowed(host),
            },
            path: routing_path(request.uri().path()),
            method: request.method(),
            headers: request.headers(),
            peer,
            raw_query: request.uri().query().unwrap_or_default(),
            query: OnceCell::new(),
        }
    }

    /// The host without one trailing dot: what `Host` compares.
    pub(crate) fn host_name(&self) -> &str {
        self.host.strip_suffix('.').unwrap_or(&self.host)
    }

    /// Decoded parameters of the query, parsed at the first question.
    pub(crate) fn query(&self) -> &[(String, String)] {
        self.query.get_or_init(|| {
            let pairs = self.raw_query.split('&').filter(|pair| !pair.is_empty());
            pairs.filter_map(parameter).collect()
        })
    }
}

/// The path with every percent-encoding decoded, except those of reserved characters: `/a%2Fb` is
/// not `/a/b`, `/foo%20bar` is `/foo bar`. Traefik's rules see the same. What is no UTF-8 becomes
/// U+FFFD, as Go's regular expressions see it.
fn routing_path(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let end = rest.len().min(at + 3);
        let encoded = rest.get(at..end).unwrap_or("%");
        match is_reserved(encoded) {
            true => bytes.extend_from_slice(encoded.as_bytes()),
            false => bytes.extend(percent_decode_str(encoded)),
        }
        rest = &rest[at + encoded.len()..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reserved characters of RFC 3986 section 2.2, and `%` itself.
fn is_reserved(encoded: &str) -> bool {
    let mut decoded = percent_decode_str(encoded);
    matches!((decoded.next(), decoded.next()), (Some(byte), None)
        if b":/?#[]@!$&'()*+,;=%".contains(&byte))
}

/// One `key=value`; `None` when an encoding in it is broken: Go leaves such a pair out.
fn parameter(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((decoded(key)?, decoded(value)?))
}

fn decoded(text: &str) -> Option<String> {
    if !is_well_encoded(text) {
        return None;
    }
    let text = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&text).collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether each `%` is followed by two hexadecimal digits.
pub(crate) fn is_well_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routing_path_keeps_reserved_characters_encoded() {
        for (path, routing) in [
            ("/a%2Fb", "/a%2Fb"),
            ("/foo%20bar", "/foo bar"),
            ("/%C3%A9", "/é"),
            ("/a%25b%7C", "/a%25b|"),
            ("/a+b%2B", "/a+b%2B"),
        ] {
            assert_eq!(routing_path(path), routing, "{path}");
        }
    }

    #[test]
    fn a_broken_parameter_is_left_out() {
        assert_eq!(parameter("a=%zz"), None);
        assert_eq!(parameter("a+b=%41"), Some(("a b".into(), "A".into())));
        assert_eq!(parameter("a"), Some(("a".into(), String::new())));
    }
}
