//! Options that hold one value or a list of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Fields, duration};
use crate::document::{Node, Value};

impl Fields<'_> {
    /// A text; a number or boolean stands for the characters it was written with.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        self.scalar(key, node, "a text").map(str::to_owned)
    }

    /// A text that must be there and not empty.
    pub fn required_text(&mut self, key: &'static str) -> Option<String> {
        match self.node(key) {
            None => self.missing.push(key),
            Some(node) if node.scalar() == Some("") => {
                self.error(key, format!("`{key}` is empty"));
            }
            Some(node) => return self.scalar(key, node, "a text").map(str::to_owned),
        }
        None
    }

    /// A list of texts. One text is a list too, its items separated by commas.
    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.placed_texts(key)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    /// As [`Fields::texts`], each with the node it stands in.
    pub fn placed_texts(&mut self, key: &'static str) -> Vec<(String, &Node)> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            let text = self.scalar(key, node, "a list of texts");
            let parts = split(text.unwrap_or_default());
            return parts.map(|part| (part, node)).collect();
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let name = format!("{key}[{index}]");
            let text = self.scalar(&name, item, "a text").unwrap_or_default();
            match self.spelling.is_typed_in() {
                true => texts.extend(split(text).map(|part| (part, item))),
                false => texts.push((text.to_owned(), item)),
            }
        }
        texts
    }

    /// A map of texts; the names are the user's.
    pub fn text_map(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let Some(node) = self.node(key) else {
            return BTreeMap::new();
        };
        if !node.is_map() {
            self.error(
                key,
                format!("expects a map of texts, found {}", node.kind()),
            );
        }
        let mut texts = BTreeMap::new();
        for member in node.members() {
            let name = format!("{key}.{}", member.key);
            // A name without a value is an empty text: what it means is for the option to say.
            let text = match member.value.value {
                Value::Null => Some(""),
                _ => self.scalar(&name, &member.value, "a text"),
            };
            if let Some(text) = text {
                texts.insert(member.key.clone(), text.to_owned());
            }
        }
        texts
    }

    /// A whole number.
    pub fn integer(&mut self, key: &'static str) -> Option<i64> {
        let node = self.node(key)?;
        let node = self.single(node);
        let number = match &node.value {
            Value::Integer(number, _) => Some(*number),
            _ => node.scalar().and_then(|text| text.trim().parse().ok()),
        };
        if number.is_none() {
            self.error(
                key,
                format!("expects a whole number, found {}", node.kind()),
            );
        }
        number
    }

    /// A whole number of a type that is smaller or has no sign.
    pub fn number<N: TryFrom<i64>>(&mut self, key: &'static str) -> Option<N> {
        let number = self.integer(key)?;
        let fitting = N::try_from(number).ok();
        if fitting.is_none() {
            let what = if number < 0 {
                "below zero"
            } else {
                "too large"
            };
            self.error(key, format!("the number is {what}"));
        }
        fitting
    }

    /// `true` or `false`, also as text in the spellings of Go's `strconv.ParseBool`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        let value = match self.single(node).scalar() {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Some(true),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Some(false),
            _ => None,
        };
        if value.is_none() {
            let message = format!("expects `true` or `false`, found {}", node.kind());
            self.error(key, message);
        }
        value
    }

    /// A duration: Go's notation (`1m30s`, `500ms`) or a number of seconds. Never below zero, and
    /// never longer than Go's: a moment so far ahead can still be written down.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.node(key)?;
        let text = self.single(node).scalar().unwrap_or_default().trim();
        let duration = match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => duration::go_duration(text),
        };
        let message = match duration {
            None => "expects a duration like `90s` or `1m30s`, or a number of seconds",
            Some(duration) if duration > duration::LONGEST => {
                "the duration is too long; at most `2562047h`"
            }
            Some(_) => return duration,
        };
        self.error(key, message);
        None
    }

    fn scalar<'n>(&mut self, key: &str, node: &'n Node, wanted: &str) -> Option<&'n str> {
        let node = self.single(node);
        let text = node.scalar();
        if text.is_none() {
            let message = format!("expects {wanted}, found {}", node.kind());
            self.error_at(key, &node.position, message);
        }
        text
    }
}

/// The items of a list on one line.
fn split(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned)
}
