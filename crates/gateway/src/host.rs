//! `host[:port]`, as clients and URLs write it (RFC 3986 section 3.2).

use http::HeaderValue;

/// Name and port, as Go's `net.SplitHostPort` sees them; the brackets of an IPv6 address stay.
pub(crate) fn split(host: &str) -> (&str, Option<&str>) {
    // Hosts are short: a search that begins at once is the faster one.
    let colon = host.bytes().rposition(|byte| byte == b':');
    match colon.map(|colon| (&host[..colon], &host[colon + 1..])) {
        Some((name, port)) if name.ends_with(']') || !name.contains(':') => (name, Some(port)),
        _ => (host, None),
    }
}

/// What a header says of a host; nothing where it is no text.
pub(crate) fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// A name without the brackets of an IPv6 address.
pub(crate) fn bare(name: &str) -> &str {
    let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    address.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_split_as_in_go() {
        for (host, parts, address) in [
            ("a.test", ("a.test", None), "a.test"),
            ("a.test:80", ("a.test", Some("80")), "a.test"),
            ("a.test.:80", ("a.test.", Some("80")), "a.test."),
            ("a.test:", ("a.test", Some("")), "a.test"),
            ("[::1]:80", ("[::1]", Some("80")), "::1"),
            ("[::1]", ("[::1]", None), "::1"),
            ("::1", ("::1", None), "::1"),
            ("", ("", None), ""),
        ] {
            assert_eq!(split(host), parts, "{host}");
            assert_eq!(bare(split(host).0), address, "{host}");
        }
    }
}
