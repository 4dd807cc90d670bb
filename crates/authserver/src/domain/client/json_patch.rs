//! JSON Patch (RFC 6902), as far as Hydra takes it: `add`, `remove`, `replace`. A replacement of
//! what is not there adds it.

use serde_json::Value;

/// One operation.
#[derive(Debug)]
pub(super) enum Operation {
    Set {
        path: Path,
        value: Value,
        replace: bool,
    },
    Remove {
        path: Path,
    },
}

/// The segments of a JSON Pointer (RFC 6901); at least one.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    parents: Vec<String>,
    last: String,
}

/// Reads a patch.
///
/// # Errors
/// A sentence for the administrator.
pub(super) fn read(patch: &Value) -> Result<Vec<Operation>, String> {
    let operations = patch
        .as_array()
        .ok_or("A JSON Patch is an array of operations.")?;
    operations.iter().map(Operation::read).collect()
}

impl Operation {
    fn read(operation: &Value) -> Result<Self, String> {
        let text = |name: &str| operation.get(name).and_then(Value::as_str);
        let path = Path::read(text("path").ok_or("An operation needs a 'path'.")?)?;
        let name = text("op").ok_or("An operation needs an 'op'.")?;
        match name {
            "remove" => Ok(Self::Remove { path }),
            "add" | "replace" => {
                let value = operation.get("value").cloned();
                let value = value.ok_or_else(|| format!("Operation '{name}' needs a 'value'."))?;
                Ok(Self::Set {
                    path,
                    value,
                    replace: name == "replace",
                })
            }
            other => Err(format!(
                "Operation '{other}' is not supported; use 'add', 'remove' or 'replace'."
            )),
        }
    }

    /// Whether the operation is about this member.
    pub(super) fn touches(&self, member: &str) -> bool {
        let (Self::Set { path, .. } | Self::Remove { path }) = self;
        path.parents.first().unwrap_or(&path.last) == member
    }

    /// Applies the operation.
    ///
    /// # Errors
    /// A sentence for the administrator.
    pub(super) fn apply(self, document: &mut Value) -> Result<(), String> {
        let (Self::Set { path, .. } | Self::Remove { path }) = &self;
        let missing = format!("There is nothing at '{}'.", path.text);
        let mut parent = document;
        for segment in &path.parents {
            parent = child(parent, segment).ok_or_else(|| missing.clone())?;
        }
        match (parent, self) {
            (Value::Object(members), Self::Set { path, value, .. }) => {
                members.insert(path.last, value);
            }
            (Value::Object(members), Self::Remove { path }) => {
                members.shift_remove(&path.last).ok_or(missing)?;
            }
            (
                Value::Array(elements),
                Self::Set {
                    path,
                    value,
                    replace,
                },
            ) => {
                set_element(elements, &path.last, value, replace).ok_or(missing)?;
            }
            (Value::Array(elements), Self::Remove { path }) => {
                let at = index(&path.last)
                    .filter(|at| *at < elements.len())
                    .ok_or(missing)?;
                elements.remove(at);
            }
            _ => return Err(missing),
        }
        Ok(())
    }
}

impl Path {
    fn read(text: &str) -> Result<Self, String> {
        let segments = text.strip_prefix('/').ok_or("A 'path' begins with '/'.")?;
        let unescape = |segment: &str| segment.replace("~1", "/").replace("~0", "~");
        let mut parents: Vec<String> = segments.split('/').map(unescape).collect();
        let last = parents.pop().unwrap_or_default();
        Ok(Self {
            text: text.to_owned(),
            parents,
            last,
        })
    }
}

fn child<'a>(parent: &'a mut Value, segment: &str) -> Option<&'a mut Value> {
    match parent {
        Value::Object(members) => members.get_mut(segment),
        Value::Array(elements) => elements.get_mut(index(segment)?),
        _ => None,
    }
}

fn set_element(
    elements: &mut Vec<Value>,
    segment: &str,
    value: Value,
    replace: bool,
) -> Option<()> {
    if segment == "-" {
        elements.push(value);
        return Some(());
    }
    let at = index(segment)?;
    if replace {
        *elements.get_mut(at)? = value;
    } else if at <= elements.len() {
        elements.insert(at, value);
    } else {
        return None;
    }
    Some(())
}

fn index(segment: &str) -> Option<usize> {
    segment.parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(patch: Value) -> Result<Value, String> {
        let mut document = json!({"name": "n", "list": ["a", "b"], "object": {"x/y": 1}});
        for operation in read(&patch)? {
            operation.apply(&mut document)?;
        }
        Ok(document)
    }

    #[test]
    fn operations_change_members_and_elements() {
        let document = patched(json!([
            {"op": "replace", "path": "/name", "value": "m"},
            {"op": "replace", "path": "/new", "value": 1},
            {"op": "add", "path": "/list/0", "value": "z"},
            {"op": "add", "path": "/list/-", "value": "c"},
            {"op": "remove", "path": "/list/1"},
            {"op": "add", "path": "/object/x~1y", "value": 2},
        ]));
        assert_eq!(
            document.unwrap(),
            json!({"name": "m", "list": ["z", "b", "c"], "object": {"x/y": 2}, "new": 1})
        );
    }

    #[test]
    fn what_cannot_be_applied_says_why() {
        for patch in [
            json!({"a": 1}),
            json!([{"op": "frob", "path": "/name"}]),
            json!([{"op": "test", "path": "/name", "value": "n"}]),
            json!([{"op": "replace", "path": "/name"}]),
            json!([{"op": "remove", "path": "/nope"}]),
            json!([{"op": "remove", "path": "/list/9"}]),
            json!([{"op": "add", "path": "/list/9", "value": 1}]),
            json!([{"op": "add", "path": "name", "value": 1}]),
            json!([{"op": "add", "path": "/name/x", "value": 1}]),
        ] {
            assert!(patched(patch.clone()).is_err(), "{patch}");
        }
    }
}
