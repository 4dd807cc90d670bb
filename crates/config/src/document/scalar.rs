//! Plain scalars of YAML, by the core schema of YAML 1.2.2 section 10.3.2.

use super::Value;

/// What a plain scalar means.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// A number of the core schema. Whole numbers beyond 64 bits are floats that keep their text.
pub(super) fn number(text: &str) -> Option<Value> {
    if let Some(value) = whole(text) {
        return Some(Value::Integer(value, text.to_owned()));
    }
    float(text).map(|value| Value::Float(value, text.to_owned()))
}

fn whole(text: &str) -> Option<i64> {
    let radix = |digits, radix| i64::from_str_radix(digits, radix).ok();
    if let Some(digits) = text.strip_prefix("0o") {
        return unsigned(digits).then(|| radix(digits, 8))?;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return unsigned(digits).then(|| radix(digits, 16))?;
    }
    text.parse().ok()
}

/// `from_str_radix` takes a sign, which the schema does not.
fn unsigned(digits: &str) -> bool {
    !digits.starts_with(['+', '-'])
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => return Some(f64::NEG_INFINITY),
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(f64::NAN),
        _ => {}
    }
    // The standard library also reads words like `infinity`, which are texts here.
    let shaped = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if shaped { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Value, plain};

    #[test]
    fn plain_scalars_mean_what_yaml_1_2_says() {
        let integer = |value: i64, text: &str| Value::Integer(value, text.to_owned());
        let float = |value: f64, text: &str| Value::Float(value, text.to_owned());
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            ("~", Value::Null),
            ("Null", Value::Null),
            ("TRUE", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("yes", text("yes")),
            ("off", text("off")),
            ("0755", integer(755, "0755")),
            ("0o17", integer(15, "0o17")),
            ("0x1F", integer(31, "0x1F")),
            ("0x-1", text("0x-1")),
            ("0b11", text("0b11")),
            ("+12", integer(12, "+12")),
            ("-5", integer(-5, "-5")),
            ("1_000", text("1_000")),
            ("1.50", float(1.5, "1.50")),
            ("1e3", float(1000.0, "1e3")),
            (".5", float(0.5, ".5")),
            ("-.inf", float(f64::NEG_INFINITY, "-.inf")),
            ("infinity", text("infinity")),
            ("nan", text("nan")),
            ("1.2.3", text("1.2.3")),
            ("10s", text("10s")),
            ("12:30", text("12:30")),
            (
                "123456789012345678901234",
                float(
                    123_456_789_012_345_678_901_234.0,
                    "123456789012345678901234",
                ),
            ),
        ];
        for (written, meant) in rows {
            assert_eq!(plain(written), meant, "{written}");
        }
    }
}
