//! Regular expressions as Go's users write them, compiled by the `regex` crate: both match in
//! linear time. Where the two dialects differ, the text is rewritten before it is compiled.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

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
        RegexBuilder::new(&translate(text))
            .size_limit(SIZE_LIMIT)
            .nest_limit(NEST_LIMIT)
            .build()
            .map(|regex| Self {
                text: text.into(),
                regex,
            })
            .map_err(|error| explain(&error))
    }

    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
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

/// Go: `\d \s \w \b` know ASCII only, `\Q..\E` quotes, a `{` that starts no repetition is a
/// brace, and inside `[]` the characters `[ & ~` have no meaning of their own.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, in_class, &mut out),
            '[' if in_class => class_member(&mut rest, &mut out),
            '[' => {
                in_class = true;
                class_start(&mut rest, &mut out);
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '{' if !in_class && !starts_repetition(rest.clone()) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) {
    let Some(c) = rest.next() else {
        return out.push('\\');
    };
    match c {
        'd' => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
        'w' => out.push_str(if in_class {
            "0-9A-Za-z_"
        } else {
            "[0-9A-Za-z_]"
        }),
        's' => out.push_str(if in_class {
            r"\t\n\f\r "
        } else {
            r"[\t\n\f\r ]"
        }),
        'D' => out.push_str("[^0-9]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'S' => out.push_str(r"[^\t\n\f\r ]"),
        'b' if !in_class => out.push_str(r"(?-u:\b)"),
        'p' | 'P' | 'x' => {
            out.extend(['\\', c]);
            braced(rest, out);
        }
        'Q' => quoted(rest, out),
        _ => out.extend(['\\', c]),
    }
}

/// Copies `{...}` of `\p{Greek}` and `\x{10FFFF}` untouched.
fn braced(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if rest.peek() != Some(&'{') {
        return;
    }
    for c in rest.by_ref() {
        out.push(c);
        if c == '}' {
            return;
        }
    }
}

fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let tail: String = rest.clone().collect();
    let literal = tail.split("\\E").next().unwrap_or_default();
    out.push_str(&regex::escape(literal));
    let consumed = literal.chars().count() + if literal.len() < tail.len() { 2 } else { 0 };
    for _ in 0..consumed {
        rest.next();
    }
}

/// `[]a]` and `[^]a]`: a bracket right at the start is a member.
fn class_start(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
}

/// `[[:alpha:]]` keeps its meaning, any other bracket in a class is a bracket.
fn class_member(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if rest.peek() != Some(&':') {
        return out.push_str("\\[");
    }
    out.push('[');
    for c in rest.by_ref() {
        out.push(c);
        if c == ']' {
            return;
        }
    }
}

fn starts_repetition(rest: Peekable<Chars<'_>>) -> bool {
    let inside: String = rest.take_while(|c| *c != '}').take(16).collect();
    let mut bounds = inside.splitn(2, ',');
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let low = bounds.next().is_some_and(number);
    let high = bounds
        .next()
        .is_none_or(|text| text.is_empty() || number(text));
    low && high
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
