//! References to secrets in a tree of options: each text that is one is replaced by what it names.
//! Knows no option and no kind of reference; the caller says what a text refers to.

use carnet_config::document::{Member, Node, Value};

/// What a text refers to: `None` when it is no reference, an error (one sentence without the value)
/// when what it names is not there.
pub(crate) type LookUp<'a> = dyn FnMut(&str) -> Option<Result<String, String>> + 'a;

/// Told of a reference that leads nowhere: the dotted path of its option, the node, and why.
pub(crate) type Tell<'a> = dyn FnMut(&str, &Node, String) + 'a;

/// The tree with every reference replaced; `key` is the dotted path of its root. What leads nowhere
/// becomes nothing, and is told.
pub(crate) fn replace(
    node: &Node,
    key: &str,
    look_up: &mut LookUp<'_>,
    tell: &mut Tell<'_>,
) -> Node {
    let value = match &node.value {
        Value::Text(text) => match look_up(text) {
            None => node.value.clone(),
            Some(Ok(secret)) => Value::Text(secret),
            Some(Err(message)) => {
                tell(key, node, message);
                Value::Null
            }
        },
        Value::List(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| replace(item, &format!("{key}[{index}]"), look_up, tell))
                .collect(),
        ),
        Value::Map(members) => Value::Map(
            members
                .iter()
                .map(|member| Member {
                    value: replace(
                        &member.value,
                        &format!("{key}.{}", member.key),
                        look_up,
                        tell,
                    ),
                    ..member.clone()
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node {
        position: node.position.clone(),
        value,
    }
}
