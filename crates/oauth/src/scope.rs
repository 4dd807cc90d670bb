//! Scopes (RFC 6749, section 3.3) and the two ways to match them with those a client has.

/// How a requested scope is matched with a registered one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// A `*` stands for one segment between dots, at the end for one or more.
    #[default]
    Wildcard,
    /// Equal texts only.
    Exact,
}

impl Strategy {
    /// Whether one of the registered scopes covers the requested one.
    pub fn allows<'a>(
        self,
        registered: impl IntoIterator<Item = &'a str>,
        requested: &str,
    ) -> bool {
        registered.into_iter().any(|pattern| match self {
            Self::Exact => pattern == requested,
            Self::Wildcard => wildcard_matches(pattern, requested),
        })
    }
}

fn wildcard_matches(pattern: &str, requested: &str) -> bool {
    let mut segments = requested.split('.');
    let mut patterns = pattern.split('.').peekable();
    while let Some(pattern) = patterns.next() {
        let Some(segment) = segments.next() else {
            return false;
        };
        if pattern == "*" {
            if segment.is_empty() {
                return false;
            }
            if patterns.peek().is_none() {
                return segments.all(|segment| !segment.is_empty());
            }
        } else if pattern != segment {
            return false;
        }
    }
    segments.next().is_none()
}

/// The scopes of a parameter, each once.
#[must_use]
pub fn split(parameter: &str) -> Vec<String> {
    unique(parameter.split(' ').filter(|scope| !scope.is_empty()))
}

/// The values in order, each once.
pub(crate) fn unique<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for value in values {
        if !once.iter().any(|known| known == value) {
            once.push(value.to_owned());
        }
    }
    once
}

/// Whether a scope has only the characters that the RFC allows.
#[must_use]
pub fn is_well_formed(scope: &str) -> bool {
    !scope.is_empty()
        && scope
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds TE-20.
    #[test]
    fn a_wildcard_stands_for_whole_segments() {
        for (registered, requested, expected) in [
            ("foo.*", "foo.bar", true),
            ("foo.*", "foo.bar.baz", true),
            ("foo.*", "foo", false),
            ("foo.*", "foo.", false),
            ("foo.*.baz", "foo.bar.baz", true),
            ("foo.*.baz", "foo.a.b.baz", false),
            ("*", "anything.at.all", true),
            ("*", "", false),
            ("foo", "foo.bar", false),
            ("foo.bar", "foo.*", false),
            ("foo.*", "foo.*", true),
        ] {
            let allowed = Strategy::Wildcard.allows([registered], requested);
            assert_eq!(allowed, expected, "{registered} {requested}");
        }
        assert!(!Strategy::Exact.allows(["foo.*"], "foo.bar"));
        assert!(Strategy::Exact.allows(["a", "foo.*"], "foo.*"));
    }

    // Holds TE-20.
    #[test]
    fn only_the_characters_of_the_rfc_make_a_scope() {
        assert!(is_well_formed("photos.read:all"));
        for scope in ["", "a\"b", "a\\b", "a\u{7f}", "\u{e9}", "a\nb"] {
            assert!(!is_well_formed(scope), "{scope:?}");
        }
    }

    #[test]
    fn a_scope_counts_once() {
        assert_eq!(split("read  write read"), ["read", "write"]);
        assert!(split("").is_empty());
    }
}
