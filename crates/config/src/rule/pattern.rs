//! Regular expressions as Go's users write them, compiled by the `regex` crate: both match in
//! linear time. `dialect.rs` rewrites the text where the two read it differently.

use std::borrow::Cow;
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

use super::dialect;

/// Bytes a compiled pattern may take: bounds what one rule costs.
const SIZE_LIMIT: usize = 4 << 20;
const NEST_LIMIT: u32 = 100;

/// A compiled regular expression that remembers how it was written.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern in Go's syntax. The error is one sentence.
    pub fn new(text: &str) -> Result<Self, String> {
        Ok(Self {
            regex: compile(&dialect::translate(text)?)?,
            text: text.into(),
        })
    }

    /// The same pattern, which looks at the beginning of texts alone. What it finds there is what
    /// this one finds first. The error is one sentence.
    pub fn at_start(&self) -> Result<Self, String> {
        Ok(Self {
            regex: compile(&format!("^(?:{})", self.regex))?,
            text: self.text.clone(),
        })
    }

    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What the pattern finds first: where, in bytes of the text.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        self.regex.find(text).map(|found| found.range())
    }

    /// The text with all that the pattern finds replaced; `$1` and `${name}` stand for groups.
    pub fn replace_all<'t>(&self, text: &'t str, replacement: &str) -> Cow<'t, str> {
        self.regex.replace_all(text, replacement)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    let built = builder.size_limit(SIZE_LIMIT).nest_limit(NEST_LIMIT);
    built.build().map_err(|error| explain(&error))
}

fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".into(),
        // The crate draws a picture over several lines; its last line is the reason.
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.trim().trim_start_matches("error: ");
            format!("the regular expression does not compile: {reason}")
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().is_match(text)
    }

    #[test]
    fn digits_and_words_are_ascii_as_in_go() {
        assert!(matches(r"^\d+$", "42"));
        assert!(!matches(r"^\d+$", "٤٢"));
        assert!(!matches(r"^\w$", "é"));
        assert!(matches(r"^[\w-]+$", "a-b_c"));
        assert!(matches(r"^[^\d]$", "x"));
        assert!(!matches(r"^[\D]$", "1"));
        assert!(matches(r"\bapi\b", "/api/"));
    }

    #[test]
    fn braces_that_repeat_nothing_are_braces() {
        assert!(matches(r"^/{id}$", "/{id}"));
        assert!(matches(r"^a{2,3}$", "aaa"));
        assert!(matches(r"^a{2,}$", "aaaa"));
        assert!(matches(r"^\p{Greek}$", "λ"));
    }

    #[test]
    fn quoting_and_classes_follow_go() {
        assert!(matches(r"^\Qa.b\E+$", "a.bb"));
        assert!(!matches(r"^\Qa.b\E$", "axb"));
        assert!(matches(r"^[[a&&b~~]+$", "[&~"));
        assert!(matches(r"^[[:alpha:]]+$", "abc"));
        assert!(matches(r"^[]a]+$", "]a"));
    }

    #[test]
    fn what_go_takes_literally_is_literal() {
        assert!(matches(r"^\<\a?\_\-\/$", "<_-/"));
        assert!(matches(r"^\141\x62\x{63}\07?$", "abc"));
        assert!(matches(r"^[\w--a]+$", "b-/a"));
        assert!(matches(r"^[a-]+$", "a-"));
        assert!(matches(r"^[[:^digit:]x\]]+$", "a]x"));
        assert!(matches(r"^a{,2}$", "a{,2}"));
        assert!(matches(r"^a{2}?b*?(?i:C)$", "aac"));
        assert!(matches(r"^\p{^Greek}\pL$", "ab"));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (pattern, reason) in [
            ("(?x) a", "there is no flag `x`"),
            ("(?-u:a)", "there is no flag `u`"),
            ("a**", "it repeats a repetition"),
            ("a*+", "it repeats a repetition"),
            ("a{2}{3}", "it repeats a repetition"),
            ("a{1001}", "it repeats more than 1000 times"),
            (
                r"\p{Alphabetic}",
                "there is no category and no script `Alphabetic`",
            ),
            (
                r"\p{sc=Greek}",
                "there is no category and no script `sc=Greek`",
            ),
            (r"\u0061", "there is no `\\u`"),
            (r"\1", "there is no `\\1`"),
            (r"[a-\d]", "there is no `\\d`"),
            ("[[:foo:]]", "there is no class `[:foo:]`"),
            ("a\\", "it ends with a backslash"),
        ] {
            let error = Pattern::new(pattern).unwrap_err();
            let said = format!("the regular expression does not compile: {reason}");
            assert_eq!(error, said, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_at_the_start_finds_what_the_pattern_finds_there() {
        for (pattern, text) in [
            ("/de+p", "/deeep/deep"),
            ("/de+p", "/a/deep"),
            ("^/a|/b", "/b/a"),
            ("a|ab", "ab"),
            ("(?i)/A", "/a"),
            ("(?m)^b", "a\nb"),
            ("/?", "a"),
            (r"/\Qa.b", "/a.b"),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            let found = pattern.find(text).filter(|found| found.start == 0);
            assert_eq!(pattern.at_start().unwrap().find(text), found, "{text}");
        }
    }

    #[test]
    fn a_pattern_too_large_is_refused() {
        let error = Pattern::new(r"(\pL{100}){100}").unwrap_err();
        assert_eq!(error, "the regular expression is too large");
    }

    #[test]
    fn the_reason_is_one_sentence() {
        let error = Pattern::new("(a").unwrap_err();
        assert_eq!(
            error,
            "the regular expression does not compile: unclosed group"
        );
    }
}
