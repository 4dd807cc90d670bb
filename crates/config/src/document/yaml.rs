//! YAML 1.2 to [`Node`]s, with anchors, aliases and merge keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag, options};

use super::{MAX_DEPTH, Member, Node, Value, check_length, scalar, unreadable};
use crate::diagnostics::{Diagnostic, Position};

/// Bytes that aliases may add to a source, as they are held in memory.
const ALIAS_BUDGET: usize = 16 << 20;

/// Parses a stream of YAML documents, one node a document; `---` with nothing behind it is a null.
/// `source` is the name of the text in messages, which never quote values. An error means that
/// nothing of the text can be used.
pub fn parse_yaml(text: &str, source: impl Into<Arc<str>>) -> Result<Vec<Node>, Diagnostic> {
    let mut builder = Builder::new(source.into());
    check_length(text, &builder.place(1, 1))?;
    let mut options = options! {
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    for item in Parser::new_from_str_with_options(text, options) {
        let (event, span) = item.map_err(|error| {
            let message = format!("this is no YAML: {}", error.kind());
            unreadable(builder.position(error.marker()), message)
        })?;
        builder.event(event, &span)?;
    }
    Ok(builder.documents)
}

/// Collects events; a stack instead of recursion.
struct Builder {
    source: Arc<str>,
    documents: Vec<Node>,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    copied: usize,
}

/// What an alias stands for, with what a copy of it costs.
struct Anchored {
    node: Node,
    depth: usize,
    bytes: usize,
}

/// A list or map that is not yet closed.
struct Frame {
    position: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Box<OpenMap>),
}

#[derive(Default)]
struct OpenMap {
    members: Vec<Member>,
    names: BTreeSet<String>,
    key: Option<Key>,
    /// Values of `<<`, in order.
    merged: Vec<Node>,
}

struct Key {
    name: String,
    position: Position,
    is_merge: bool,
}

impl Builder {
    fn new(source: Arc<str>) -> Self {
        Self {
            source,
            documents: Vec::new(),
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            copied: 0,
        }
    }

    fn place(&self, line: usize, column: usize) -> Position {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position {
            source: Arc::clone(&self.source),
            line: number(line),
            column: number(column),
        }
    }

    fn position(&self, marker: &Marker) -> Position {
        self.place(marker.line(), marker.col() + 1)
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Diagnostic> {
        let position = self.position(&span.start);
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), position)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", &position)?;
                self.open(Content::List(Vec::new()), anchor, position)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", &position)?;
                self.open(Content::Map(Box::default()), anchor, position)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => self.alias(anchor, position)?,
            _ => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        position: Position,
    ) -> Result<(), Diagnostic> {
        let is_plain = matches!(style, ScalarStyle::Plain) && tag.is_none();
        let value = match tag {
            Some(tag) => tagged(text, tag, &position)?,
            None if is_plain => scalar::plain(text),
            None => Value::Text(text.to_owned()),
        };
        let node = Node { position, value };
        if !self.awaits_key() {
            return self.value(node, anchor);
        }
        self.remember(&node, anchor)?;
        let is_merge = is_plain && text == "<<";
        self.key(text.to_owned(), is_merge, node.position)
    }

    fn awaits_key(&self) -> bool {
        match self.stack.last().map(|frame| &frame.content) {
            Some(Content::Map(map)) => map.key.is_none(),
            _ => false,
        }
    }

    fn key(&mut self, name: String, is_merge: bool, position: Position) -> Result<(), Diagnostic> {
        let Some(Content::Map(map)) = self.stack.last_mut().map(|frame| &mut frame.content) else {
            return Ok(());
        };
        if !map.names.insert(name.clone()) {
            return Err(unreadable(position, format!("`{name}` is given twice")));
        }
        map.key = Some(Key {
            name,
            position,
            is_merge,
        });
        Ok(())
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        position: Position,
    ) -> Result<(), Diagnostic> {
        if self.awaits_key() {
            let message = "a key is a text, not a list or map; quote it";
            return Err(unreadable(position, message));
        }
        self.check_depth(1, &position)?;
        self.stack.push(Frame {
            position,
            anchor,
            content,
        });
        Ok(())
    }

    fn check_depth(&self, added: usize, position: &Position) -> Result<(), Diagnostic> {
        if self.stack.len() + added > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels inside each other");
            return Err(unreadable(position.clone(), message));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.content {
            Content::List(items) => Value::List(items),
            Content::Map(map) => Value::Map(merge(*map)?),
        };
        let node = Node {
            position: frame.position,
            value,
        };
        self.value(node, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Diagnostic> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside what it stands for";
            return Err(unreadable(position, message));
        };
        let (depth, bytes) = (anchored.depth, anchored.bytes);
        self.check_depth(depth, &position)?;
        self.charge(bytes, &position)?;
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Ok(());
        };
        let node = anchored.node.clone();
        if self.awaits_key() {
            let Some(name) = node.scalar() else {
                let message = "a key is a text, and this alias stands for something else";
                return Err(unreadable(position, message));
            };
            return self.key(name.to_owned(), false, position);
        }
        self.value(node, 0)
    }

    /// Copies made for anchors and aliases draw from one budget: the billion laughs end here.
    fn charge(&mut self, bytes: usize, position: &Position) -> Result<(), Diagnostic> {
        self.copied = self.copied.saturating_add(bytes);
        if self.copied > ALIAS_BUDGET {
            let message = "aliases expand to more than 16 MiB; write the values out";
            return Err(unreadable(position.clone(), message));
        }
        Ok(())
    }

    /// Keeps what an anchor names, for its aliases; 0 is no anchor.
    fn remember(&mut self, node: &Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            let (depth, bytes) = measure(node);
            self.charge(bytes, &node.position)?;
            let node = node.clone();
            let anchored = Anchored { node, depth, bytes };
            self.anchors.insert(anchor, anchored);
        }
        Ok(())
    }

    /// A finished value goes where it belongs.
    fn value(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        self.remember(&node, anchor)?;
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.documents.push(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(map)) => match map.key.take() {
                Some(key) if key.is_merge => map.merged.push(node),
                Some(key) => map.members.push(Member {
                    key: key.name,
                    key_position: key.position,
                    value: node,
                }),
                None => {}
            },
        }
        Ok(())
    }
}

/// The members of a map with those of its `<<`: what the map says itself wins, then what is
/// merged first.
fn merge(mut map: OpenMap) -> Result<Vec<Member>, Diagnostic> {
    for node in std::mem::take(&mut map.merged) {
        let sources = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for source in sources {
            let Value::Map(members) = source.value else {
                let message = "`<<` takes a map or a list of maps";
                return Err(unreadable(source.position, message));
            };
            for member in members {
                if map.names.insert(member.key.clone()) {
                    map.members.push(member);
                }
            }
        }
    }
    Ok(map.members)
}

/// Depth and memory of a tree.
fn measure(node: &Node) -> (usize, usize) {
    let own = size_of::<Node>();
    let under = |(depth, bytes): (usize, usize), node: &Node, more: usize| {
        let (below, size) = measure(node);
        (depth.max(below + 1), bytes + size + more)
    };
    match &node.value {
        Value::Text(text) | Value::Integer(_, text) | Value::Float(_, text) => {
            (0, own + text.len())
        }
        Value::List(items) => items.iter().fold((1, own), |sum, item| under(sum, item, 0)),
        Value::Map(members) => members.iter().fold((1, own), |sum, member| {
            let more = size_of::<Member>() - size_of::<Node>() + member.key.len();
            under(sum, &member.value, more)
        }),
        Value::Null | Value::Bool(_) => (0, own),
    }
}

/// A scalar with a tag of the core schema.
fn tagged(text: &str, tag: &Tag, position: &Position) -> Result<Value, Diagnostic> {
    let value = match (tag.core_suffix(), tag.parts()) {
        (Some("str"), _) | (None, ("!", "") | ("", "!")) => {
            return Ok(Value::Text(text.to_owned()));
        }
        (Some("null"), _) => Value::Null,
        (Some("int" | "float" | "bool"), _) => scalar::plain(text),
        _ => return Err(unreadable(position.clone(), "this tag is not understood")),
    };
    let fits = match tag.core_suffix() {
        Some("int") => matches!(value, Value::Integer(..)),
        Some("float") => matches!(value, Value::Integer(..) | Value::Float(..)),
        Some("bool") => matches!(value, Value::Bool(_)),
        _ => true,
    };
    if fits {
        Ok(value)
    } else {
        let message = "the value is not of the type that its tag names";
        Err(unreadable(position.clone(), message))
    }
}

/// Lists and maps may only be tagged as what they are.
fn check_tag(tag: Option<&Tag>, own: &str, position: &Position) -> Result<(), Diagnostic> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(own) && tag.parts() != ("!", "") => {
            Err(unreadable(position.clone(), "this tag is not understood"))
        }
        _ => Ok(()),
    }
}
