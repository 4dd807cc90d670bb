//! Statuses that an option names: `503`, `500-599`.

use std::ops::RangeInclusive;

use serde::{Serialize, Serializer};

use crate::document::Fields;

/// Ranges of statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statuses(pub Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Reads a list of them.
    pub(super) fn read(fields: &mut Fields<'_>, key: &'static str) -> Self {
        let mut ranges = Vec::new();
        for text in fields.texts(key) {
            for part in text.split(',').map(str::trim) {
                match range(part) {
                    Some(range) => ranges.push(range),
                    None => fields.error(key, mistake(part)),
                }
            }
        }
        Self(ranges)
    }

    /// Whether one of them is this.
    pub fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(text))
    }
}

/// As it would be written.
pub(super) fn text(range: &RangeInclusive<u16>) -> String {
    match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

/// What is said of a text that is neither.
pub(super) fn mistake(text: &str) -> String {
    format!("`{text}` is no status; write `503` or `500-599`")
}

/// One item.
pub(super) fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let are_statuses = (100..=599).contains(&first) && (100..=599).contains(&last);
    (are_statuses && first <= last).then_some(first..=last)
}
