//! What a client shows in `Authorization: Digest` (RFC 7616 section 3.4).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::super::parameters::parameters;

/// The parameters that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) username: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    pub(super) opaque: String,
    pub(super) cnonce: String,
    /// As written: it is hashed so.
    pub(super) nc: String,
}

impl Shown {
    /// Of a request's head. `None`: there is nothing, or too much, or it is of another kind than what
    /// was asked for.
    pub(super) fn by(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let (scheme, rest) = std::str::from_utf8(value.as_bytes())
            .ok()?
            .split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut given = parameters(rest)?;
        let is_md5 = given.remove("algorithm");
        let is_md5 = is_md5.is_none_or(|name| name.eq_ignore_ascii_case("MD5"));
        let is_auth = given.remove("qop").is_some_and(|qop| qop == "auth");
        let mut take = |name: &str| given.remove(name);
        let shown = Self {
            username: take("username")?,
            nonce: take("nonce")?,
            uri: take("uri")?,
            response: take("response")?.to_ascii_lowercase(),
            opaque: take("opaque")?,
            cnonce: take("cnonce")?,
            nc: take("nc")?,
        };
        let is_named = !shown.username.is_empty() && !shown.username.chars().any(char::is_control);
        (is_md5 && is_auth && is_named).then_some(shown)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn shown(value: &str) -> Option<Shown> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        Shown::by(&headers)
    }

    const REST: &str = "nonce=\"n\", uri=\"/a?b=1,2\", opaque=\"o\", cnonce=\"c\", nc=00000001, \
                        response=\"AB\"";

    #[test]
    fn tokens_and_quoted_texts_are_read() {
        let text = format!("digest username=\"a \\\"b\\\"\",qop=auth , algorithm=md5,{REST}");
        let shown = shown(&text).unwrap();
        assert_eq!(shown.username, "a \"b\"");
        assert_eq!(shown.uri, "/a?b=1,2");
        assert_eq!(
            (shown.nc.as_str(), shown.response.as_str()),
            ("00000001", "ab")
        );
    }

    #[test]
    fn what_was_not_asked_for_shows_nothing() {
        for text in [
            "Basic dTpw".to_owned(),
            "Digest".to_owned(),
            "Digest x".to_owned(),
            format!("Digest username=\"a\", {REST}"),
            format!("Digest username=\"a\", qop=auth-int, {REST}"),
            format!("Digest username=\"a\", qop=auth, algorithm=SHA-256, {REST}"),
            format!("Digest username=\"\", qop=auth, {REST}"),
            format!("Digest username=\"a\", username=\"b\", qop=auth, {REST}"),
            format!("Digest username=\"a, qop=auth, {REST}"),
            format!("Digest username=\"a\" qop=auth, {REST}"),
        ] {
            assert_eq!(shown(&text), None, "{text}");
        }
    }
}
