//! The request as Go's server sees it.

use std::collections::BTreeMap;

use http::header::{CACHE_CONTROL, HOST, PRAGMA, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// What Go escapes in a path that was not properly escaped.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What may stand in a path without being escaped, beside letters and digits.
const ALLOWED: &[u8] = b"-_.~!$&'()*+,;=:@/[]%";

/// The host that was asked for: the target's, else the header's.
pub(crate) fn host<B>(request: &Request<B>) -> &str {
    let header = || {
        request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok())
    };
    request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(header)
        .unwrap_or_default()
}

/// Path and query (`URL.RequestURI`): as they came, unless the path holds what must be escaped.
pub(crate) fn target(uri: &Uri) -> String {
    let path = uri.path();
    let proper = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte));
    let path = if proper {
        path.to_owned()
    } else {
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        percent_encode(&decoded, PATH).to_string()
    };
    match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

/// The headers by their canonical names, without those that become fields of Go's request.
pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, Vec<&HeaderValue>> {
    let mut map: BTreeMap<String, Vec<&HeaderValue>> = BTreeMap::new();
    for (name, value) in headers {
        if name != HOST && name != TRANSFER_ENCODING {
            map.entry(canonical(name)).or_default().push(value);
        }
    }
    // Go reads HTTP/1.0's word for the same thing.
    if let Some(pragma) = headers.get(PRAGMA).filter(|pragma| *pragma == "no-cache") {
        map.entry(canonical(&CACHE_CONTROL))
            .or_insert_with(|| vec![pragma]);
    }
    map
}

/// A name in Go's spelling: `X-Real-Ip`.
pub(crate) fn canonical(name: &HeaderName) -> String {
    let mut upper = true;
    let letters = name.as_str().chars().map(|letter| {
        let letter = if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        upper = letter == '-';
        letter
    });
    letters.collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_unless_they_hold_what_must_be_escaped() {
        for (target_given, expected) in [
            ("/", "/"),
            ("/a%2Fb%20c", "/a%2Fb%20c"),
            ("/a|b%2Fc", "/a%7Cb/c"),
            ("/{x}?q=|", "/%7Bx%7D?q=|"),
            ("/?", "/?"),
            ("http://host/p?q", "/p?q"),
        ] {
            assert_eq!(
                target(&target_given.parse().unwrap()),
                expected,
                "{target_given}"
            );
        }
    }

    #[test]
    fn names_are_spelled_as_go_spells_them() {
        for (name, expected) in [
            ("x-forwarded-for", "X-Forwarded-For"),
            ("dnt", "Dnt"),
            ("x_a-b", "X_a-B"),
            ("x-1a", "X-1a"),
        ] {
            assert_eq!(canonical(&HeaderName::from_static(name)), expected);
        }
    }
}
