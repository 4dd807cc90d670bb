//! Answers over HTTP.

use std::borrow::Cow;

use serde_json::Value;

use super::pattern::{Values, matches};
use super::{Finding, json, jwt};
use crate::scenario::Answer;

/// An answer as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// The status.
    pub status: u16,
    /// The fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// When the request was sent, in seconds since 1970.
    pub asked_at: i64,
}

impl Received {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// Fields of framing, connections and time.
const IGNORED: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
];

/// Tells what differs.
pub(crate) fn answers(expected: &Answer, found: &Received, values: &Values) -> Vec<Finding> {
    let mut findings = Vec::new();
    if expected.status != found.status {
        findings.push(Finding::new("status", expected.status, found.status));
    }
    headers(expected, found, values, &mut findings);
    body(expected, found, values, &mut findings);
    let members = found.json().unwrap_or_default();
    for (name, ahead) in &expected.seconds_from_now {
        let distance = members.get(name).and_then(Value::as_i64);
        let distance = distance.map(|time| time - found.asked_at);
        if distance.is_none_or(|distance| (distance - ahead).abs() > 2) {
            let at = format!("body.{name}");
            let shown = distance.map_or("no time".to_owned(), |d| format!("in {d} s"));
            findings.push(Finding::new(&at, format!("in {ahead} s"), shown));
        }
    }
    for (name, token) in [
        ("access_token", &expected.access_token),
        ("id_token", &expected.id_token),
    ] {
        if let Some(token) = token {
            let text = members.get(name).and_then(Value::as_str);
            jwt::compare(name, token, text, values, &mut findings);
        }
    }
    findings
}

fn headers(expected: &Answer, found: &Received, values: &Values, findings: &mut Vec<Finding>) {
    let mut left: Vec<&(String, String)> = found
        .headers
        .iter()
        .filter(|(name, _)| !IGNORED.contains(&name.as_str()))
        .collect();
    for (name, value) in &expected.headers {
        let name = name.to_lowercase();
        if IGNORED.contains(&name.as_str()) {
            continue;
        }
        let at = format!("header {name}");
        match left.iter().position(|(other, _)| *other == name) {
            Some(index) => {
                let (_, other) = left.remove(index);
                let (other, issuer) = without_issuer(&name, value, other);
                if let Some(issuer) = issuer {
                    findings.push(Finding::new(&format!("{at} iss"), "nothing", issuer));
                }
                if !matches(value, values, &other) {
                    findings.push(Finding::new(&at, value, other));
                }
            }
            None => findings.push(Finding::new(&at, value, "nothing")),
        }
    }
    for (name, value) in left {
        findings.push(Finding::new(&format!("header {name}"), "nothing", value));
    }
}

/// An address without the issuer (RFC 9207), where none is expected in it: that is a finding of its own,
/// so that the rest of the address is compared.
fn without_issuer<'a>(
    name: &str,
    expected: &str,
    found: &'a str,
) -> (Cow<'a, str>, Option<&'a str>) {
    let begin = found.find("&iss=");
    match begin.filter(|_| name == "location" && !expected.contains("&iss=")) {
        None => (Cow::Borrowed(found), None),
        Some(begin) => {
            let (before, issuer) = found.split_at(begin);
            let end = issuer[1..].find('&').map_or(issuer.len(), |at| at + 1);
            let (issuer, behind) = issuer.split_at(end);
            (Cow::Owned(format!("{before}{behind}")), Some(issuer))
        }
    }
}

fn body(expected: &Answer, found: &Received, values: &Values, findings: &mut Vec<Finding>) {
    match (&expected.json, &expected.text) {
        (Some(value), _) => {
            let Some(other) = found.json() else {
                findings.push(Finding::new("body", "JSON", short(&found.body)));
                return;
            };
            json::compare("body", value, &other, values, findings);
            let ends = found.body.ends_with('\n');
            if expected
                .final_newline
                .is_some_and(|expected| expected != ends)
            {
                let word = |is_there| if is_there { "one" } else { "none" };
                findings.push(Finding::new("final newline", word(!ends), word(ends)));
            }
        }
        (None, Some(text)) => {
            if !matches(text, values, &found.body) {
                findings.push(Finding::new("body", text, short(&found.body)));
            }
        }
        (None, None) => {
            if !found.body.is_empty() {
                findings.push(Finding::new("body", "nothing", short(&found.body)));
            }
        }
    }
}

/// The start of a text, on one line.
pub(super) fn short(text: &str) -> String {
    let start: String = text.chars().take(200).collect();
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{start:?}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn expected() -> Answer {
        serde_json::from_value(json!({
            "status": 200,
            "headers": [["Content-Type", "application/json"], ["Location", "/x/<uuid>"]],
            "json": {"exp": "<unix>"},
            "seconds_from_now": {"exp": 60},
            "final_newline": false
        }))
        .unwrap()
    }

    fn received() -> Received {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Received {
            status: 200,
            headers: vec![
                header("location", "/x/0b8d4a3c-1f2e-4d5c-8b7a-012345678901"),
                header("date", "today"),
                header("content-type", "application/json"),
            ],
            body: r#"{"exp":161}"#.to_owned(),
            asked_at: 100,
        }
    }

    fn places(found: &Received) -> Vec<String> {
        let findings = answers(&expected(), found, &Values::new());
        findings.into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn order_of_fields_and_what_frames_them_do_not_count() {
        assert!(places(&received()).is_empty());
    }

    #[test]
    fn status_fields_times_and_line_ends_count() {
        let mut found = received();
        found.status = 201;
        found.headers.remove(0);
        found.headers.push(("pragma".to_owned(), "x".to_owned()));
        found.body = "{\"exp\":200}\n".to_owned();
        assert_eq!(
            places(&found),
            [
                "status",
                "header location",
                "header pragma",
                "final newline",
                "body.exp"
            ]
        );
    }

    #[test]
    fn an_issuer_that_is_not_expected_is_a_finding_of_its_own() {
        let mut expected = expected();
        "/x/<uuid>?code=a&state=b".clone_into(&mut expected.headers[1].1);
        let mut received = received();
        let address = |rest: &str| format!("/x/0b8d4a3c-1f2e-4d5c-8b7a-012345678901?{rest}");
        for (rest, places) in [
            (
                "code=a&iss=https%3A%2F%2Fi&state=b",
                vec!["header location iss"],
            ),
            ("code=a&state=b&iss=i", vec!["header location iss"]),
            (
                "code=a&iss=i&state=c",
                vec!["header location iss", "header location"],
            ),
            ("code=a&state=b", vec![]),
        ] {
            received.headers[0].1 = address(rest);
            let findings = answers(&expected, &received, &Values::new());
            let found: Vec<&str> = findings.iter().map(|finding| &*finding.at).collect();
            assert_eq!(found, places, "{rest}");
        }
    }
}
