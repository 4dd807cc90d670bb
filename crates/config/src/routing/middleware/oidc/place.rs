//! Places that people are sent to, as they are written: `/login`, `app.test/login` or
//! `https://app.test/login`.

use url::Url;

use super::Place;
use crate::document::Fields;

/// Reads a place; an empty text counts as absent. `None` when it is none; the findings say why.
pub(super) fn place(fields: &mut Fields<'_>, key: &'static str) -> Option<Place> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    let place = match text.starts_with('/') {
        true => path(&text).map(Place::Path),
        false => url(&text).map(Place::Url),
    };
    match place {
        Ok(place) => {
            if !text.starts_with('/') && !text.contains("://") {
                let message = format!("names no scheme and is read as `https://{text}`");
                fields.warn(key, message);
            }
            Some(place)
        }
        Err(message) => {
            fields.error(key, message);
            None
        }
    }
}

/// What browsers take for a path, and not for another host (`//evil.test`, `/\evil.test`).
fn path(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'\\';
    if text.starts_with("//") || !text.bytes().all(is_plain) {
        return Err("expects a path that begins with one slash and has no backslash or space");
    }
    Ok(text.to_owned())
}

fn url(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expects a path like `/callback`, or a URL of `http` or `https`";
    let has_scheme = text.contains("://");
    let is_plain = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'\\';
    if !text.bytes().all(is_plain) {
        return Err(EXPECTED);
    }
    let url = match has_scheme {
        true => Url::parse(text),
        false => Url::parse(&format!("https://{text}")),
    };
    let url = url.map_err(|_| EXPECTED)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EXPECTED);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials, and browsers show URLs; take them out of it");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_take_for_a_path_is_one() {
        for (text, is_path) in [
            ("/callback", true),
            ("/a/b?c=d", true),
            ("/", true),
            ("//evil.test", false),
            ("/\\evil.test", false),
            ("/a\\b", false),
            ("/a b", false),
            ("/a\tb", false),
            ("/\u{e9}", false),
        ] {
            assert_eq!(path(text).is_ok(), is_path, "{text}");
        }
    }

    #[test]
    fn a_place_elsewhere_has_a_host_and_no_credentials() {
        for (text, read) in [
            ("https://app.test/cb", Some("https://app.test/cb")),
            ("http://127.0.0.1:8080/cb", Some("http://127.0.0.1:8080/cb")),
            ("app.test/cb", Some("https://app.test/cb")),
            ("app.test:8443/cb", Some("https://app.test:8443/cb")),
            ("javascript://app.test/cb", None),
            ("https://u:p@app.test/cb", None),
            ("https:\\\\app.test", None),
            ("app test", None),
            ("?a", None),
        ] {
            let found = url(text).ok();
            assert_eq!(found.as_ref().map(Url::as_str), read, "{text}");
        }
    }
}
