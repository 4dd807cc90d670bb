//! `--format jsonpath=PATH`: gjson's dotted paths as Hydra takes them (`grant_types.0`,
//! `items.#.client_id`), and, from `$` on, JSONPath (RFC 9535).

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::output::Failure;

/// What a path finds; `null` when it finds nothing.
pub(super) fn find(value: &Value, path: &str) -> Result<Value, Failure> {
    if path.starts_with('$') {
        return json_path(value, path);
    }
    if path.contains(['|', '(', '@', '*', '?']) {
        return Err(Failure::new(format!(
            "the path `{path}` has wildcards, queries or modifiers; write names and numbers with \
             dots between them, `#` for each item of a list, or JSONPath that begins with `$`"
        )));
    }
    Ok(dotted(value, &segments(path)).unwrap_or_default())
}

fn json_path(value: &Value, path: &str) -> Result<Value, Failure> {
    let parsed = JsonPath::parse(path)
        .map_err(|error| Failure::new(format!("the path `{path}` is no JSONPath: {error}")))?;
    let mut found = parsed.query(value).all();
    Ok(match found.len() {
        0 => Value::Null,
        1 => found.remove(0).clone(),
        _ => found.into_iter().cloned().collect(),
    })
}

/// Names between dots; a backslash takes the next character as it is.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        match (c, segments.last_mut()) {
            ('.', _) => segments.push(String::new()),
            ('\\', Some(segment)) => segment.extend(characters.next()),
            (_, Some(segment)) => segment.push(c),
            (_, None) => {}
        }
    }
    segments
}

fn dotted(value: &Value, segments: &[String]) -> Option<Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(value.clone());
    };
    match value {
        Value::Array(items) if first == "#" => match rest {
            [] => Some(Value::from(items.len())),
            _ => Some(items.iter().filter_map(|item| dotted(item, rest)).collect()),
        },
        Value::Array(items) => dotted(items.get(first.parse::<usize>().ok()?)?, rest),
        Value::Object(members) => dotted(members.get(first)?, rest),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_what_gjson_and_json_path_find() {
        let value = json!({"a": [{"id": 1}, {"id": 2}, {}], "b.c": true, "n": null});
        for (path, found) in [
            ("a.0", json!({"id": 1})),
            ("a.1.id", json!(2)),
            ("a.#", json!(3)),
            ("a.#.id", json!([1, 2])),
            ("b\\.c", json!(true)),
            ("nope", json!(null)),
            ("a.9", json!(null)),
            ("a.0.id.deeper", json!(null)),
            ("$.a[0].id", json!(1)),
            ("$.a[*].id", json!([1, 2])),
            ("$.nope", json!(null)),
        ] {
            assert_eq!(find(&value, path).unwrap(), found, "{path}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_followed_is_a_sentence() {
        for path in ["$[", "a.*", "a.#(id==1)", "a|b"] {
            assert!(find(&json!({}), path).is_err(), "{path}");
        }
    }
}
