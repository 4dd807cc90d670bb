//! TOML to a [`Node`].

use std::sync::Arc;

use toml::de::{DeInteger, DeTable, DeValue};

use super::{MAX_DEPTH, Member, Node, Value, check_length, unreadable};
use crate::diagnostics::{Diagnostic, Position};

/// Parses a TOML document into a map. `source` is the name of the text in messages, which never
/// quote values. Dates become texts. An error means that nothing of the text can be used.
pub fn parse_toml(text: &str, source: impl Into<Arc<str>>) -> Result<Node, Diagnostic> {
    let places = Places::new(text, source.into());
    check_length(text, &places.position(0))?;
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let message = format!("this is no TOML: {}", error.message());
        unreadable(places.position(offset), message)
    })?;
    let offset = table.span().start;
    places.map(table.into_inner(), offset, 1)
}

/// Byte offsets to lines and columns.
struct Places {
    source: Arc<str>,
    text: String,
    lines: Vec<usize>,
}

impl Places {
    fn new(text: &str, source: Arc<str>) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            text: text.to_owned(),
            lines: std::iter::once(0).chain(starts).collect(),
        }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied();
        let before = self.text.get(start.unwrap_or(0)..offset);
        let column = before.map_or(0, |text| text.chars().count());
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position {
            source: Arc::clone(&self.source),
            line: number(line),
            column: number(column + 1),
        }
    }

    fn map(&self, table: DeTable<'_>, offset: usize, depth: usize) -> Result<Node, Diagnostic> {
        let position = self.position(offset);
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels inside each other");
            return Err(unreadable(position, message));
        }
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut members = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let start = value.span().start;
            members.push(Member {
                key_position: self.position(key.span().start),
                key: key.into_inner().into_owned(),
                value: self.node(value.into_inner(), start, depth)?,
            });
        }
        Ok(Node {
            position,
            value: Value::Map(members),
        })
    }

    fn node(&self, value: DeValue<'_>, offset: usize, depth: usize) -> Result<Node, Diagnostic> {
        let position = self.position(offset);
        let value = match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Boolean(value) => Value::Bool(value),
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Integer(number) => match integer(&number) {
                Some(value) => value,
                None => return Err(unreadable(position, "the number is too large")),
            },
            DeValue::Float(number) => {
                let text = number.as_str().to_owned();
                match text.parse() {
                    Ok(value) => Value::Float(value, text),
                    Err(_) => return Err(unreadable(position, "this is no number")),
                }
            }
            DeValue::Array(items) => {
                let items = items.into_iter().map(|item| {
                    let start = item.span().start;
                    self.node(item.into_inner(), start, depth + 1)
                });
                Value::List(items.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => return self.map(table, offset, depth + 1),
        };
        Ok(Node { position, value })
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Value> {
    let value = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
    Some(Value::Integer(value, number.to_string()))
}
