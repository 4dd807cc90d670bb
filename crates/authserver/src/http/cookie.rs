//! Cookies (RFC 6265): read of a request, written for an answer. Scripts never see them; over https
//! they go nowhere else.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};

use crate::{
    Options, SameSite,
    domain::{
        Authority,
        authorize::browser::{Browser, Cookie},
    },
};

/// What a browser brings; of a name that comes twice the first counts.
pub(super) fn read(headers: &HeaderMap) -> Browser {
    let mut cookies = BTreeMap::new();
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    for pair in pairs.flat_map(|line| line.split(';')) {
        if let Some((name, value)) = pair.trim().split_once('=') {
            let value = value.trim_matches('"').to_owned();
            cookies.entry(name.to_owned()).or_insert(value);
        }
    }
    Browser { cookies }
}

/// One as it is set.
pub(super) fn written(authority: &Authority, cookie: &Cookie) -> String {
    let seconds = cookie.max_age.as_secs();
    let expires = match seconds {
        0 => "Thu, 01 Jan 1970 00:00:01 GMT".to_owned(),
        _ => authority.date_after(cookie.max_age),
    };
    let Cookie {
        name,
        value,
        path,
        is_legacy,
        ..
    } = cookie;
    let domain = match &authority.options.cookies.domain {
        Some(domain) => format!("; Domain={domain}"),
        None => String::new(),
    };
    let guards = match is_legacy {
        true => "HttpOnly; Secure",
        false => guards(&authority.options),
    };
    format!("{name}={value}; Path={path}{domain}; Expires={expires}; Max-Age={seconds}; {guards}")
}

/// Who sees it, and who may have it sent.
fn guards(options: &Options) -> &'static str {
    match (options.is_secure(), options.same_site()) {
        (true, SameSite::None) => "HttpOnly; Secure; SameSite=None",
        (true, SameSite::Lax) => "HttpOnly; Secure; SameSite=Lax",
        (true, SameSite::Strict) => "HttpOnly; Secure; SameSite=Strict",
        (false, SameSite::Strict) => "HttpOnly; SameSite=Strict",
        (false, SameSite::Lax | SameSite::None) => "HttpOnly; SameSite=Lax",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_comes_twice_the_first_counts() {
        let mut headers = HeaderMap::new();
        for line in ["a=1; b=\"2\"; a=3", "c=4=5; broken; b=6"] {
            headers.append(header::COOKIE, header::HeaderValue::from_static(line));
        }
        let read = read(&headers).cookies;
        let found: Vec<_> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(found, [("a", "1"), ("b", "2"), ("c", "4=5")]);
    }
}
