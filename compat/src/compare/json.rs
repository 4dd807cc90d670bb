//! JSON: members, their order, types and values.

use serde_json::{Map, Value};

use super::Finding;
use super::pattern::{Values, matches};

/// Tells what differs between two values.
pub(super) fn compare(
    at: &str,
    expected: &Value,
    found: &Value,
    values: &Values,
    findings: &mut Vec<Finding>,
) {
    match (expected, found) {
        (Value::String(words), _) if is_number(words) => {
            if !found.is_number() {
                findings.push(Finding::new(at, words, found));
            }
        }
        (Value::String(words), _) if words == "<any>" => {}
        (Value::String(words), Value::Number(_)) => {
            // Rounded down while the clock goes on.
            let distance = about(words).zip(found.as_i64()).map(|(a, b)| (a - b).abs());
            if distance.is_none_or(|distance| distance > 1) {
                findings.push(Finding::new(at, expected, found));
            }
        }
        (Value::String(text), Value::String(other)) => {
            if !matches(text, values, other) {
                findings.push(Finding::new(at, expected, found));
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            if items.len() != others.len() {
                findings.push(Finding::new(at, expected, found));
                return;
            }
            for (index, (item, other)) in items.iter().zip(others).enumerate() {
                compare(&format!("{at}.{index}"), item, other, values, findings);
            }
        }
        (Value::Object(members), Value::Object(others)) => {
            objects(at, members, others, values, findings);
        }
        _ if expected == found => {}
        _ => findings.push(Finding::new(at, expected, found)),
    }
}

fn is_number(words: &str) -> bool {
    matches!(words, "<unix>" | "<number>" | "<n>")
}

/// The number of `<about 3599>`.
fn about(words: &str) -> Option<i64> {
    words
        .strip_prefix("<about ")?
        .strip_suffix('>')?
        .parse()
        .ok()
}

fn objects(
    at: &str,
    members: &Map<String, Value>,
    others: &Map<String, Value>,
    values: &Values,
    findings: &mut Vec<Finding>,
) {
    for (name, value) in members {
        let at = format!("{at}.{name}");
        match others.get(name) {
            Some(other) => compare(&at, value, other, values, findings),
            None => findings.push(Finding::new(&at, value, "nothing")),
        }
    }
    for (name, other) in others {
        if !members.contains_key(name) {
            findings.push(Finding::new(&format!("{at}.{name}"), "nothing", other));
        }
    }
    let shared: Vec<&str> = common(members, others);
    let order: Vec<&str> = common(others, members);
    if shared != order {
        let at = format!("{at} (order)");
        findings.push(Finding::new(&at, shared.join(", "), order.join(", ")));
    }
}

/// The names of one object that the other has too, in the order of the one.
fn common<'a>(one: &'a Map<String, Value>, other: &Map<String, Value>) -> Vec<&'a str> {
    one.keys()
        .filter(|name| other.contains_key(*name))
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(expected: &Value, found: &Value) -> Vec<String> {
        let mut findings = Vec::new();
        compare("body", expected, found, &Values::new(), &mut findings);
        findings.into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn members_their_order_types_and_values_count() {
        let expected = json!({"a": 1, "b": ["<uuid>"], "c": {"d": null}, "e": "<unix>"});
        assert!(places(&json!("<about 9>"), &json!(10)).is_empty());
        assert_eq!(places(&json!("<about 9>"), &json!(11)), ["body"]);
        let uuid = "0b8d4a3c-1f2e-4d5c-8b7a-012345678901";
        let same = json!({"a": 1, "b": [uuid], "c": {"d": null}, "e": 17});
        assert!(places(&expected, &same).is_empty());
        let other_order = json!({"b": [uuid], "a": 1, "c": {"d": null}, "e": 17});
        assert_eq!(places(&expected, &other_order), ["body (order)"]);
        let other = json!({"a": "1", "b": ["x"], "c": {"f": null}, "e": "17"});
        let places = places(&expected, &other);
        assert_eq!(
            places,
            ["body.a", "body.b.0", "body.c.d", "body.c.f", "body.e"]
        );
    }
}
