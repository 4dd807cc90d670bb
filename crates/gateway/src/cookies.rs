//! Cookies in both directions (RFC 6265): those that a request carries, and `Set-Cookie`. Knows how
//! they are written; refuses to know what they are for.

use carnet_config::routing::service::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The values of all cookies of this name, as they came.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(COOKIE).into_iter().flat_map(pairs);
    pairs.filter_map(move |pair| {
        let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

/// The names of all cookies, as they came.
pub(crate) fn names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let pairs = headers.get_all(COOKIE).into_iter().flat_map(pairs);
    pairs.filter_map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next()?;
        std::str::from_utf8(name).ok()
    })
}

/// The value of the first cookie of this name, as Go reads them.
pub(crate) fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    values(headers, name).next()
}

/// Takes cookies out of a request; the others stay as they are, in their order.
pub(crate) fn take_off(headers: &mut HeaderMap, is_one: impl Fn(&str) -> bool) {
    let fields: Vec<HeaderValue> = headers.get_all(COOKIE).iter().cloned().collect();
    let is_kept = |pair: &&[u8]| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        !std::str::from_utf8(name.trim_ascii()).is_ok_and(&is_one)
    };
    let all: Vec<&[u8]> = fields.iter().flat_map(pairs).collect();
    let kept: Vec<&[u8]> = all.iter().copied().filter(is_kept).collect();
    if kept.len() == all.len() {
        return;
    }
    headers.remove(COOKIE);
    if let Ok(value) = HeaderValue::from_bytes(&kept.join(&b"; "[..]))
        && !kept.is_empty()
    {
        headers.insert(COOKIE, value);
    }
}

fn pairs(field: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let pairs = field.as_bytes().split(|byte| *byte == b';');
    pairs
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

/// A name with everything that no cookie's name may hold replaced.
pub(crate) fn token(name: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
    let kept = |c| if is_kept(c) { c } else { '_' };
    name.chars().map(kept).collect()
}

/// The name of a cookie that can be set, `otherwise` where the options have none. The error is one
/// sentence.
pub(crate) fn name(options: &Cookie, otherwise: &str) -> Result<String, String> {
    let own = options.name.as_deref().filter(|name| !name.is_empty());
    let name = token(own.unwrap_or(otherwise));
    check(options, &name)?;
    set(options, &name, "", 0).ok_or("its cookie has characters that no header may hold")?;
    Ok(name)
}

/// What browsers ask of cookies with such names (RFC 6265bis, section 4.1.3). The error is one
/// sentence.
fn check(options: &Cookie, name: &str) -> Result<(), String> {
    let begins = |prefix: &str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_of_host = options.secure && options.path == "/" && options.domain.is_none();
    if begins("__Host-") && !is_of_host {
        return Err(format!(
            "browsers refuse a cookie `{name}` without `secure: true`, with a `domain`, or with another `path` than `/`"
        ));
    }
    if begins("__Secure-") && !options.secure {
        return Err(format!(
            "browsers refuse a cookie `{name}` without `secure: true`"
        ));
    }
    Ok(())
}

/// `Set-Cookie`, its attributes in Go's order. Zero seconds: until the browser is closed; fewer: at
/// once. `None`: something in it is nothing that a header may hold.
pub(crate) fn set(options: &Cookie, name: &str, value: &str, max_age: i64) -> Option<HeaderValue> {
    let mut field = format!("{name}={value}");
    let mut add = |attribute: &str| {
        field.push_str("; ");
        field.push_str(attribute);
    };
    if !options.path.is_empty() {
        add(&format!("Path={}", options.path));
    }
    if let Some(domain) = &options.domain {
        add(&format!("Domain={}", domain.trim_start_matches('.')));
    }
    match max_age {
        0 => {}
        age => add(&format!("Max-Age={}", age.max(0))),
    }
    if options.http_only {
        add("HttpOnly");
    }
    if options.secure {
        add("Secure");
    }
    match options.same_site {
        None => {}
        Some(SameSite::None) => add("SameSite=None"),
        Some(SameSite::Lax) => add("SameSite=Lax"),
        Some(SameSite::Strict) => add("SameSite=Strict"),
    }
    let mut value = HeaderValue::try_from(field).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn headers(fields: &[&str]) -> HeaderMap {
        let fields = fields.iter();
        fields
            .map(|field| (COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn cookies_are_found_by_their_whole_names() {
        let headers = headers(&["a=1; b=2;a=3", " ab=4", "a", "A=5; a=x=y"]);
        let found: Vec<&str> = values(&headers, "a").collect();
        assert_eq!(found, ["1", "3", "x=y"]);
        assert_eq!(first(&headers, "ab"), Some("4"));
        assert_eq!(first(&headers, "c"), None);
        let all: Vec<&str> = names(&headers).collect();
        assert_eq!(all, ["a", "b", "a", "ab", "a", "A", "a"]);
    }

    #[test]
    fn cookies_are_taken_off_and_the_others_stay_as_they_are() {
        for (fields, left) in [
            (&["a=1"][..], &[][..]),
            (&["a=1; b=2; a", " a =3;c=\u{e9}"], &["b=2; c=\u{e9}"]),
            // Nothing to take off: not even a space changes.
            (&["b=2;c=3; ", "ab=1"], &["b=2;c=3; ", "ab=1"]),
        ] {
            let mut headers = headers(fields);
            take_off(&mut headers, |name| name == "a");
            let found: Vec<&[u8]> = headers
                .get_all(COOKIE)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect();
            let left: Vec<&[u8]> = left.iter().map(|field| field.as_bytes()).collect();
            assert_eq!(found, left, "{fields:?}");
        }
    }

    #[test]
    fn names_that_browsers_hold_to_rules_are_held_to_them_here() {
        let cookie = |secure, path: &str, domain: Option<&str>| Cookie {
            name: None,
            secure,
            http_only: true,
            same_site: None,
            max_age: 0,
            path: path.to_owned(),
            domain: domain.map(str::to_owned),
        };
        for (name, options, is_right) in [
            ("__Host-s", cookie(true, "/", None), true),
            ("__Host-s", cookie(false, "/", None), false),
            ("__host-s", cookie(true, "/a", None), false),
            ("__Host-s", cookie(true, "/", Some("a.test")), false),
            ("__Secure-s", cookie(true, "/a", Some("a.test")), true),
            ("__Secure-s", cookie(false, "/", None), false),
            ("s", cookie(false, "/a", None), true),
        ] {
            assert_eq!(
                check(&options, name).is_ok(),
                is_right,
                "{name} {options:?}"
            );
        }
    }
}
