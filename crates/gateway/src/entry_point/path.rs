//! One view of the path: what rules see, middlewares change and backends get is the same, cleaned
//! here, with Traefik's steps in Traefik's order.

use carnet_config::install::EntryPoint;
use http::Uri;
use http::uri::PathAndQuery;

use super::alphabet::Alphabet;
use crate::error::{Fault, Reason};
use crate::router::is_well_encoded;

/// What Go's `URL.EscapedPath` leaves as it is.
const PLAIN: Alphabet = Alphabet::with(b"-._~/!$&'()*+,;=:@[]");

/// The clean form of a request target: authority dropped, path normalised, `;` in the query turned
/// to `&`, as Go's `AllowQuerySemicolons` does, or encoded. `None`: it is that already.
pub(super) fn clean(uri: &Uri, options: &EntryPoint) -> Result<Option<Uri>, Fault> {
    let refused = |cause: &'static str| Fault::new(Reason::BadRequest).because(cause);
    let path = uri.path();
    if uri.authority().is_none() && is_clean(path, uri.query().unwrap_or_default()) {
        return Ok(None);
    }
    if !path.starts_with('/') {
        return Err(refused("the path does not start with `/`"));
    }
    if !is_well_encoded(path) {
        return Err(refused("a percent-encoding in the path is broken"));
    }
    let mut path = normalized(path);
    if let Some(encoded) = options.encoded_characters.forbidden_in(&path) {
        return Err(Fault::new(Reason::BadRequest).because(format!(
            "`{encoded}` is not allowed in a path of this entry point"
        )));
    }
    if options.sanitize_path {
        path = sanitized(&path);
    }
    if let Some(query) = uri.query() {
        path.push('?');
        let instead = if options.encode_query_semicolons {
            "%3B"
        } else {
            "&"
        };
        path.push_str(&query.replace(';', instead));
    }
    let target: PathAndQuery = path
        .try_into()
        .map_err(|error| Fault::new(Reason::BadRequest).because(error))?;
    Ok(Some(Uri::from(target)))
}

/// Whether there is nothing to do, as with most requests.
fn is_clean(path: &str, query: &str) -> bool {
    let mut before = 0;
    let passes = |byte: u8| {
        let starts_segment = std::mem::replace(&mut before, byte) == b'/';
        PLAIN.has(byte) && !(starts_segment && matches!(byte, b'/' | b'.'))
    };
    path.starts_with('/') && path.bytes().all(passes) && !query.contains(';')
}

/// Encoded unreserved characters decoded, the other encodings in upper case, and what may not stand
/// in a path encoded: RFC 3986 sections 6.2.2.1 and 6.2.2.2.
fn normalized(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|d| d.unwrap_or_default() as char);
                let value = digits
                    .iter()
                    .try_fold(0, |n, d| Some(n * 16 + d.to_digit(16)?));
                match value.and_then(char::from_u32).filter(char::is_ascii) {
                    Some(c) if is_unreserved(c) => out.push(c),
                    _ => {
                        out.push('%');
                        out.extend(digits.map(|digit| digit.to_ascii_uppercase()));
                    }
                }
            }
            _ if PLAIN.has(byte) => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

/// Without empty and dot segments, as Go's `path.Clean`; a slash at the end stays.
fn sanitized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    if path.ends_with('/') && !clean.ends_with('/') {
        clean.push('/');
    }
    clean
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_config::routing::middleware::EncodedCharacters;

    use super::*;

    fn cleaned(target: &str) -> String {
        let uri = target.parse().unwrap();
        let clean = clean(&uri, &EntryPoint::at(":80"));
        clean.map_or_else(
            |fault| fault.to_string(),
            |clean| clean.unwrap_or(uri).to_string(),
        )
    }

    // Holds HT-20.
    #[test]
    fn there_is_one_view_of_the_path() {
        for (target, clean) in [
            ("/", "/"),
            ("/pub/../admin", "/admin"),
            ("/pub/%2e%2e/admin", "/admin"),
            ("/pub/.%2E/admin", "/admin"),
            ("//admin", "/admin"),
            ("/./admin/.", "/admin"),
            ("/../../admin/", "/admin/"),
            ("/%61dmin", "/admin"),
            ("/admin%2f", "/admin%2F"),
            ("/a;/../admin", "/admin"),
            ("/a%5c..%5cadmin", "/a%5C..%5Cadmin"),
            ("/a|b", "/a%7Cb"),
            ("/é", "/%C3%A9"),
            ("/%C3%a9", "/%C3%A9"),
            ("/a?x=1;y=2&z=/../b", "/a?x=1&y=2&z=/../b"),
            ("http://h/a//b?", "/a/b?"),
        ] {
            assert_eq!(cleaned(target), clean, "{target}");
        }
    }

    #[test]
    fn broken_encodings_are_refused() {
        for target in ["/%", "/%6", "/%u0061", "/%zz"] {
            assert!(cleaned(target).starts_with("bad_request"), "{target}");
        }
    }

    #[test]
    fn each_encoded_character_can_be_refused() {
        let mut strict = EntryPoint::at(":80");
        strict.encoded_characters = EncodedCharacters::all(false);
        for encoded in ["%2f", "%5C", "%00", "%3b", "%25", "%3F", "%23"] {
            let uri = format!("/a{encoded}b").parse().unwrap();
            assert!(clean(&uri, &strict).is_err(), "{encoded}");
            assert!(clean(&uri, &EntryPoint::at(":80")).is_ok());
        }
    }

    #[test]
    fn semicolons_of_a_query_can_be_encoded_instead() {
        let mut options = EntryPoint::at(":80");
        options.encode_query_semicolons = true;
        let uri = "/a;b?x=1;y=2".parse().unwrap();
        let clean = clean(&uri, &options).unwrap().unwrap();
        assert_eq!(clean.to_string(), "/a;b?x=1%3By=2");
    }
}
