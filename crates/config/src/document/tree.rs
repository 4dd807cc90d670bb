//! Paths with values (flags, variables, annotations) to the tree that a file would have been.

use super::{Member, Node, Value};
use crate::diagnostics::Position;

/// A tree that grows by one value after the other.
pub struct Tree {
    root: Node,
}

impl Tree {
    /// An empty one; all of it stands at `position`.
    pub fn new(position: Position) -> Self {
        let value = Value::Map(Vec::new());
        Self {
            root: Node { position, value },
        }
    }

    /// Puts a text at the end of a path. A second text there makes a list of them; where options
    /// follow below, they count and the text does not.
    pub fn insert(&mut self, path: &[String], text: &str) {
        let leaf = Node {
            position: self.root.position.clone(),
            value: Value::Text(text.to_owned()),
        };
        insert(&mut self.root, path, leaf);
    }

    /// The tree; maps whose names are all places in a list have become lists.
    pub fn finish(mut self) -> Node {
        lists(&mut self.root);
        self.root
    }
}

fn insert(node: &mut Node, path: &[String], leaf: Node) {
    let Some((name, rest)) = path.split_first() else {
        return put(node, leaf);
    };
    if !node.is_map() {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(members) = &mut node.value else {
        return;
    };
    let is_it = |member: &&mut Member| member.key.eq_ignore_ascii_case(name);
    if let Some(member) = members.iter_mut().find(is_it) {
        return insert(&mut member.value, rest, leaf);
    }
    let key_position = leaf.position.clone();
    let mut value = Node {
        position: key_position.clone(),
        value: Value::Null,
    };
    insert(&mut value, rest, leaf);
    members.push(Member {
        key: name.clone(),
        key_position,
        value,
    });
}

fn put(node: &mut Node, leaf: Node) {
    match &mut node.value {
        Value::Map(_) => {}
        Value::List(items) => items.push(leaf),
        Value::Text(_) => {
            let first = std::mem::replace(node, leaf.clone());
            node.value = Value::List(vec![first, leaf]);
        }
        _ => *node = leaf,
    }
}

fn lists(node: &mut Node) {
    let Value::Map(members) = &mut node.value else {
        return;
    };
    members.iter_mut().for_each(|m| lists(&mut m.value));
    let places: Option<Vec<usize>> = members.iter().map(|m| place(&m.key)).collect();
    let Some(places) = places.filter(|places| !places.is_empty()) else {
        return;
    };
    let members = std::mem::take(members);
    let mut items: Vec<_> = places.into_iter().zip(members).collect();
    items.sort_by_key(|(place, _)| *place);
    let values = items.into_iter().map(|(_, member)| member.value);
    node.value = Value::List(values.collect());
}

/// `[0]` of flags, `0` of variables and annotations.
fn place(name: &str) -> Option<usize> {
    let inside = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    inside.unwrap_or(name).parse().ok()
}
