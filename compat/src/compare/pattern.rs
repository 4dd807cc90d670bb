//! Texts with placeholders.

use std::collections::BTreeMap;

use regex::Regex;

/// Values that steps kept, by name.
pub(crate) type Values = BTreeMap<String, String>;

const TOKEN: &str = r"[A-Za-z0-9_.\-]+";

/// The regular expression that a placeholder stands for. Unknown ones are meant literally: Hydra
/// itself prints `<empty>`.
fn placeholder(words: &str) -> Option<String> {
    let fixed = match words {
        "uuid" => r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "rfc3339" => r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
        "time" => r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^\t\n]+",
        "unix" | "number" | "n" => r"-?\d+",
        "jwt" => r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+",
        "ory_at token" | "ory_rt token" | "ory_ac token" => {
            return Some(format!("{}_{TOKEN}", &words[..6]));
        }
        "opaque" | "b64url" | "page-token" | "user-code" | "generated secret" => r"[^\s]+",
        "date" => r"[^\n]+",
        "any" => r"[^\n]*",
        "text" => r"(?s:.+)",
        "usage" | "help text" | "info lines" | "banner" => r"(?s:.*)",
        _ => return measured(words),
    };
    Some(fixed.to_owned())
}

/// Placeholders that say how long they are.
fn measured(words: &str) -> Option<String> {
    if let Some(bytes) = words
        .strip_prefix("b64url:")
        .and_then(|rest| rest.strip_suffix(" bytes"))
    {
        let bytes: usize = bytes.parse().ok()?;
        return Some(format!("[A-Za-z0-9_\\-]{{{}}}", (bytes * 4).div_ceil(3)));
    }
    if let Some(length) = words
        .strip_prefix("generated secret, ")
        .and_then(|rest| rest.strip_suffix(" characters"))
    {
        let length: usize = length.parse().ok()?;
        return Some(format!(r"[^\s]{{{length}}}"));
    }
    words.strip_suffix(" lines").map(|_| r"(?s:.*)".to_owned())
}

/// Whether a text has the form that is expected, with kept values put in.
pub(crate) fn matches(expected: &str, values: &Values, found: &str) -> bool {
    let mut pattern = String::from(r"\A");
    let mut rest = expected;
    while let Some(at) = rest.find(['<', '{']) {
        pattern.push_str(&regex::escape(&rest[..at]));
        rest = &rest[at..];
        let (expression, length) = special(rest, values);
        pattern.push_str(&expression);
        rest = &rest[length..];
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push_str(r"\z");
    Regex::new(&pattern).is_ok_and(|regex| regex.is_match(found))
}

/// The expression for what stands at the start of a text, and how much of the text it covers.
fn special(text: &str, values: &Values) -> (String, usize) {
    if let Some(end) = text.strip_prefix("{{").and_then(|rest| rest.find("}}")) {
        let name = &text[2..2 + end];
        // A value that this very answer brings may be anything.
        let expression = values
            .get(name)
            .map_or_else(|| r"[^\n]*".to_owned(), |value| regex::escape(value));
        return (expression, end + 4);
    }
    if let Some(end) = text.strip_prefix('<').and_then(|rest| rest.find('>'))
        && let Some(expression) = placeholder(&text[1..=end])
    {
        return (expression, end + 2);
    }
    (regex::escape(&text[..1]), 1)
}

/// Puts kept values into what is sent. `Err` names a value that no step kept.
pub(crate) fn fill(text: &str, values: &Values) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find("}}") else { break };
        let name = &rest[2..end];
        filled.push_str(values.get(name).ok_or_else(|| name.to_owned())?);
        rest = &rest[end + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_what_differs_from_run_to_run() {
        let values = Values::from([("c".to_owned(), "a.b".to_owned())]);
        for (expected, found, result) in [
            ("plain (text)", "plain (text)", true),
            ("plain", "plain ", false),
            ("<uuid>", "0b8d4a3c-1f2e-4d5c-8b7a-012345678901", true),
            ("<uuid>", "0b8d4a3c", false),
            ("<rfc3339>", "2026-11-23T10:00:00Z", true),
            ("<b64url:3 bytes>", "abcd", true),
            ("<b64url:2 bytes>", "abcd", false),
            ("<b64url:256 bytes>", &"a".repeat(342), true),
            ("/admin/clients/{{c}}", "/admin/clients/a.b", true),
            ("/admin/clients/{{c}}", "/admin/clients/axb", false),
            ("{{later}}", "whatever", true),
            ("TOKEN\t<empty>", "TOKEN\t<empty>", true),
            ("a < b {x}", "a < b {x}", true),
            ("Error: x\n<usage>\n", "Error: x\nUsage:\n  a\n", true),
        ] {
            assert_eq!(
                matches(expected, &values, found),
                result,
                "{expected} {found}"
            );
        }
    }

    #[test]
    fn a_value_that_nobody_kept_is_named() {
        let values = Values::from([("c".to_owned(), "1".to_owned())]);
        assert_eq!(fill("/x/{{c}}?y", &values), Ok("/x/1?y".to_owned()));
        assert_eq!(fill("{{d}}", &values), Err("d".to_owned()));
    }
}
