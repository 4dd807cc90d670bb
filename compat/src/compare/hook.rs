//! What a web hook was asked.

use serde_json::Value;

use super::pattern::{Values, matches};
use super::{Finding, json};
use crate::scenario::HookStep;

/// A question as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Path and query.
    pub path: String,
    /// The fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Fields by which HTTP clients differ.
const IGNORED: &[&str] = &[
    "accept",
    "accept-encoding",
    "content-length",
    "host",
    "user-agent",
];

/// Tells what differs; all attempts of one question say the same.
pub(crate) fn questions(expected: &HookStep, asked: &[Asked], values: &Values) -> Vec<Finding> {
    let mut findings = Vec::new();
    if expected.calls.is_some_and(|calls| calls != asked.len()) {
        let calls = expected.calls.unwrap_or_default();
        findings.push(Finding::new("hook calls", calls, asked.len()));
    }
    let (Some(expected), Some(found)) = (&expected.request, asked.last()) else {
        return findings;
    };
    if expected.path != found.path {
        findings.push(Finding::new("hook path", &expected.path, &found.path));
    }
    let known = |name: &str| !IGNORED.contains(&name);
    for (name, value) in &expected.headers {
        let name = name.to_lowercase();
        let other = found.headers.iter().find(|(other, _)| *other == name);
        let is_same = other.is_some_and(|(_, other)| matches(value, values, other));
        if known(&name) && !is_same {
            let other = other.map_or("nothing", |(_, other)| other);
            findings.push(Finding::new(&format!("hook header {name}"), value, other));
        }
    }
    for (name, value) in &found.headers {
        let is_expected = |(other, _): &(String, String)| other.eq_ignore_ascii_case(name);
        if known(name) && !expected.headers.iter().any(is_expected) {
            let at = format!("hook header {name}");
            findings.push(Finding::new(&at, "nothing", value));
        }
    }
    let body: Value = serde_json::from_str(&found.body).unwrap_or_default();
    json::compare("hook body", &expected.body, &body, values, &mut findings);
    findings
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_path_fields_and_body_count() {
        let step: HookStep = serde_json::from_value(json!({
            "answer": {"status": 204, "body": null}, "calls": 1,
            "request": {"path": "/hook", "headers": [["User-Agent", "<any>"], ["X-Key", "k"]],
                "body": {"a": "<rfc3339>"}}
        }))
        .unwrap();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut asked = Asked {
            path: "/hook".to_owned(),
            headers: vec![header("x-key", "k"), header("accept", "*/*")],
            body: r#"{"a":"2026-01-01T00:00:00Z"}"#.to_owned(),
        };
        let places = |asked: &[Asked]| -> Vec<String> {
            let findings = questions(&step, asked, &Values::new());
            findings.into_iter().map(|finding| finding.at).collect()
        };
        assert_eq!(places(&[asked.clone()]), [""; 0]);
        assert_eq!(places(&[asked.clone(), asked.clone()]), ["hook calls"]);
        asked.path = "/".to_owned();
        asked.headers = vec![header("x-other", "k")];
        asked.body = "{}".to_owned();
        let expected = [
            "hook path",
            "hook header x-key",
            "hook header x-other",
            "hook body.a",
        ];
        assert_eq!(places(&[asked]), expected);
    }
}
