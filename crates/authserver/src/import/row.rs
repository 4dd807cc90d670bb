//! A row of Hydra's as texts: what a database calls a value differs, what it says does not.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::ImportError;
use super::source::Table;

/// A row. Columns that this version of Hydra does not have are `NULL`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) table: &'static Table,
    pub(super) values: Vec<Option<String>>,
}

impl Row {
    /// A value, if there is one.
    pub(super) fn value(&self, column: &str) -> Option<&str> {
        let at = self.table.columns.iter().position(|name| *name == column)?;
        self.values.get(at)?.as_deref()
    }

    /// A text; empty when there is none.
    pub(super) fn text(&self, column: &str) -> &str {
        self.value(column).unwrap_or_default()
    }

    /// A truth; SQLite writes it as a number, PostgreSQL as a word.
    pub(super) fn flag(&self, column: &str) -> bool {
        matches!(self.text(column), "1" | "true" | "t")
    }

    /// A truth, or none.
    pub(super) fn optional_flag(&self, column: &str) -> Option<bool> {
        self.value(column).map(|_| self.flag(column))
    }

    /// A number, or none.
    pub(super) fn number(&self, column: &str) -> Result<Option<i64>, ImportError> {
        let number = |text: &str| text.parse().map_err(|_| self.damaged(column, "no number"));
        self.value(column).map(number).transpose()
    }

    /// JSON; the default when there is none.
    pub(super) fn json<T: Default + DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<T, ImportError> {
        match self.text(column) {
            "" => Ok(T::default()),
            text => {
                let read = serde_json::from_str::<Option<T>>(text);
                let read = read.map_err(|error| self.damaged(column, error))?;
                Ok(read.unwrap_or_default())
            }
        }
    }

    /// A list: JSON, or joined by `|` as tokens and older clients have it.
    pub(super) fn list(&self, column: &str) -> Result<Vec<String>, ImportError> {
        let text = self.text(column);
        if text.starts_with(['[', 'n']) && (text == "null" || text.ends_with(']')) {
            return self.json(column);
        }
        let elements = text.split('|').filter(|element| !element.is_empty());
        Ok(elements.map(str::to_owned).collect())
    }

    /// A time, if there is one.
    pub(super) fn time(&self, column: &str) -> Result<Option<Timestamp>, ImportError> {
        let time = |text: &str| time(text).ok_or_else(|| self.damaged(column, "no time"));
        self.value(column).map(time).transpose()
    }

    /// A complaint about this row.
    pub(super) fn damaged(&self, column: &str, problem: impl std::fmt::Display) -> ImportError {
        let names = self.table.name_columns.iter();
        let names: Vec<&str> = names.map(|column| self.text(column)).collect();
        ImportError::Damaged {
            table: self.table.name,
            row: names.join(" "),
            problem: format!("{column}: {problem}"),
        }
    }
}

/// A time as both databases write it; without a zone it is UTC.
fn time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once([' ', 'T'])?;
    let zone = if rest.contains(['+', '-', 'Z']) {
        ""
    } else {
        "Z"
    };
    format!("{date}T{rest}{zone}").parse().ok()
}

/// Whole seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> i64 {
    Timestamp::try_from(time)
        .map(Timestamp::as_second)
        .unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_both_databases_write_them() {
        for text in [
            "2026-11-23 21:09:46",
            "2026-11-23 21:09:46+00:00",
            "2026-11-23 21:09:46+00",
            "2026-11-23T21:09:46Z",
            "2026-11-23 22:09:46+01:00",
        ] {
            assert_eq!(
                time(text).unwrap().to_string(),
                "2026-11-23T21:09:46Z",
                "{text}"
            );
        }
        assert!(time("2026-11-23 21:09:46.164902+00:00").is_some());
        assert!(time("yesterday").is_none());
    }
}
