//! Addresses of requests, so that those which mean the same are the same (RFC 3986, section 6.2).

use url::Url;

/// An address without query and fragment, in its normal form; `None` when it is none of the web.
pub(super) fn normal(uri: &str) -> Option<String> {
    let mut url = Url::parse(uri).ok()?;
    let is_of_the_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_of_the_web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(decoded(url.as_str()))
}

/// Without the escapes that say nothing, the others in capitals.
fn decoded(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let digits = after.get(..2).unwrap_or_default();
        let is_escape = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok();
        match byte.filter(|_| is_escape) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(char::from(byte));
                rest = &after[2..];
            }
            Some(_) => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
                rest = &after[2..];
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mean_the_same_are_the_same() {
        let is_same = |one: &str, other: &str| {
            let one = normal(one);
            one.is_some() && one == normal(other)
        };
        for (one, other, expected) in [
            ("https://a.example/t", "HTTPS://A.EXAMPLE:443/t?x=1#y", true),
            ("https://a.example/%7et%2f", "https://a.example/~t%2F", true),
            ("https://a.example", "https://a.example/", true),
            ("https://a.example/a/../t", "https://a.example/t", true),
            ("https://a.example/t", "https://a.example/t/", false),
            ("https://a.example/t", "https://a.example/T", false),
            ("https://a.example/t", "http://a.example/t", false),
            ("https://a.example/t", "https://a.example:444/t", false),
            ("https://a.example/t", "https://b.example/t", false),
            ("https://a.example/%2f", "https://a.example//", false),
            ("https://u@a.example/t", "https://u@a.example/t", false),
            ("urn:a", "urn:a", false),
            ("/t", "/t", false),
        ] {
            assert_eq!(is_same(one, other), expected, "{one} {other}");
        }
    }
}
