//! Audiences: whom a token is for, and whether a client may ask for it.
//!
//! A registered URL covers itself and what lies below its path. A name that is no URL of the
//! `scheme://host` kind, such as a URN, covers only itself.

use crate::scope::unique;

/// Whether one of the registered audiences covers the requested one.
#[must_use]
pub fn allows(registered: &[String], requested: &str) -> bool {
    let Some(requested) = Name::parse(requested) else {
        return false;
    };
    registered
        .iter()
        .filter_map(|name| Name::parse(name))
        .any(|name| name.covers(&requested))
}

/// The audiences of a request: a single parameter is split at spaces, several stand as they are.
#[must_use]
pub fn of_parameters(parameters: &[&str]) -> Vec<String> {
    match parameters {
        [one] => unique(one.split(' ').filter(|name| !name.is_empty())),
        several => unique(several.iter().copied().filter(|name| !name.is_empty())),
    }
}

enum Name<'a> {
    /// `scheme://host/path`; the query, the fragment and the user are not compared.
    Located {
        scheme: &'a str,
        host: &'a str,
        path: &'a str,
    },
    /// Anything else with a scheme.
    Opaque(&'a str),
    /// A bare word or path.
    Bare(&'a str),
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ') {
            return None;
        }
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Some(Self::Bare(path_of(text)));
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return Some(Self::Opaque(text));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        Some(Self::Located {
            scheme,
            host,
            path: path_of(path),
        })
    }

    fn covers(&self, requested: &Self) -> bool {
        match (self, requested) {
            (
                Self::Located { scheme, host, path },
                Self::Located {
                    scheme: other_scheme,
                    host: other_host,
                    path: other,
                },
            ) => scheme == other_scheme && host == other_host && is_below(path, other),
            (Self::Opaque(name), Self::Opaque(other)) => name == other,
            (Self::Bare(path), Self::Bare(other)) => is_below(path, other),
            _ => false,
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn path_of(text: &str) -> &str {
    text.find(['?', '#']).map_or(text, |end| &text[..end])
}

/// Whether a path is the registered one or lies below it.
fn is_below(registered: &str, requested: &str) -> bool {
    let base = registered.strip_suffix('/').unwrap_or(registered);
    requested == registered
        || requested
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds TE-21.
    #[test]
    fn an_audience_covers_itself_and_what_lies_below_it() {
        for (registered, requested, expected) in [
            ("https://traefik.io", "https://traefik.io", true),
            ("https://traefik.io", "https://traefik.io/", true),
            ("https://traefik.io", "https://traefik.io/any/path", true),
            ("https://traefik.io/a", "https://traefik.io/a/b", true),
            ("https://traefik.io/a", "https://traefik.io/ab", false),
            ("https://traefik.io/a/", "https://traefik.io/a", true),
            ("https://traefik.io", "http://traefik.io", false),
            ("https://traefik.io", "https://x.traefik.io", false),
            ("https://traefik.io", "https://traefik.io:443", false),
            ("https://traefik.io", "https://TRAEFIK.io", false),
            ("https://traefik.io", "https://traefik.io?x=1", true),
            ("https://traefik.io", "https://user@traefik.io", true),
            (
                "https://traefik.io",
                "https://traefik.io.evil.example",
                false,
            ),
            (
                "https://traefik.io",
                "https://traefik.io@evil.example",
                false,
            ),
            ("foobar", "foobar", true),
            ("foobar", "foobar/x", true),
            ("foobar", "foobarx", false),
            ("urn:a", "urn:a", true),
            ("urn:a", "urn:b", false),
            ("https://traefik.io", "foo", false),
            ("https://traefik.io", "", false),
        ] {
            let allowed = allows(&[registered.to_owned()], requested);
            assert_eq!(allowed, expected, "{registered} {requested}");
        }
    }

    #[test]
    fn one_parameter_is_split_and_several_are_not() {
        assert_eq!(of_parameters(&["a b a"]), ["a", "b"]);
        assert_eq!(of_parameters(&["a b", "c", "", "c"]), ["a b", "c"]);
        assert!(of_parameters(&[""]).is_empty());
    }
}
