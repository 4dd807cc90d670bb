//! JSON as block YAML, in the style of Hydra's `--format yaml`: lists are not indented, a text is
//! quoted only where it would be read as something else.

use serde_json::Value;

/// The document, with a final newline.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    node(value, 0, &mut text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A value that begins on a line of its own, or a scalar without its newline.
fn node(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                text.push_str(&" ".repeat(indent));
                text.push_str(&scalar(name));
                text.push(':');
                let deeper = if member.is_array() {
                    indent
                } else {
                    indent + 2
                };
                below(member, deeper, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                node(item, indent + 2, &mut inner);
                text.push_str(&" ".repeat(indent));
                text.push_str("- ");
                text.push_str(inner.trim_start());
                end_line(text);
            }
        }
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        Value::String(value) => text.push_str(&scalar(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
}

/// A member's value: behind the colon, or on the lines below it.
fn below(value: &Value, indent: usize, text: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    text.push(if is_block { '\n' } else { ' ' });
    node(value, indent, text);
    end_line(text);
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

fn scalar(text: &str) -> String {
    if needs_quotes(text) {
        // A JSON string is a double-quoted YAML scalar.
        Value::from(text).to_string()
    } else {
        text.to_owned()
    }
}

/// Whether a plain scalar would be read as something else, by YAML 1.1 or 1.2.
fn needs_quotes(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "null", "~", "true", "false", "yes", "no", "y", "n", "on", "off", "<<", "=",
    ];
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_bracketed =
        text.starts_with(|c| "*&[{}],!|>%'\"@#-?: `".contains(c)) || text.ends_with([':', ' ']);
    is_word
        || text.is_empty()
        || is_bracketed
        || is_number(text)
        || is_time(text)
        || text.contains(['#', '\\'])
        || text.contains(": ")
        || text.chars().any(char::is_control)
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit()) && text.replace('_', "").parse::<f64>().is_ok()
        || digits.starts_with("0x")
        || digits.starts_with("0o")
        || [".inf", ".nan", "inf", "nan", "infinity"]
            .contains(&digits.to_ascii_lowercase().as_str())
}

/// Dates and times, which some readers turn into objects.
fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_nested_as_hydra_nests_them() {
        let value = json!({
            "set": "s",
            "keys": [{"kid": "k", "y": "abc", "ops": ["a", "b"]}, {"kid": "l"}],
            "jwks": {}, "none": [], "uri": "", "deep": {"a": {"b": 1}}, "lists": [["x"], [1]]
        });
        assert_eq!(
            document(&value),
            "set: s\nkeys:\n- kid: k\n  \"y\": abc\n  ops:\n  - a\n  - b\n- kid: l\njwks: {}\n\
             none: []\nuri: \"\"\ndeep:\n  a:\n    b: 1\nlists:\n- - x\n- - 1\n"
        );
        assert_eq!(document(&json!("id")), "id\n");
        assert_eq!(document(&json!([])), "[]\n");
    }

    #[test]
    fn a_text_is_quoted_only_where_it_would_be_read_as_something_else() {
        for text in [
            "https://traefik.io",
            "openid offline",
            "a:b",
            "ory_at_x-y_z",
            "0f1a",
        ] {
            assert_eq!(scalar(text), text);
        }
        for text in [
            "",
            "y",
            "NO",
            "null",
            "12",
            "1e5",
            "0x1f",
            "2026-11-23T00:00:00Z",
            "2026-11-23",
            "- a",
            "a: b",
            "a #b",
            "*x",
            "{",
            "a\nb",
            "end:",
            ".5",
            "+1",
        ] {
            assert_eq!(scalar(text), Value::from(text).to_string(), "{text}");
        }
    }
}
