//! What a command of the admin API answers, in the formats of `--format`: tables for people, JSON
//! and YAML for programs.
//!
//! Knows no command and no server; what is shown is handed in.

use serde_json::Value;

use crate::args::ApiFlags;
use crate::output::{self, Failure};
use crate::process::Process;

mod path;
mod table;
mod yaml;

/// JSON as a YAML document.
pub(crate) fn yaml(value: &Value) -> String {
    yaml::document(value)
}

/// A result, as columns and as JSON.
#[derive(Debug)]
pub(crate) struct Report {
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
    layout: Layout,
    /// The column that `--quiet` prints.
    identity: usize,
    json: Value,
}

#[derive(Debug)]
enum Layout {
    /// One thing: a line for each of its columns.
    Object,
    /// Several: a line each, under the header.
    List,
    /// A list that goes on elsewhere, unless the token is empty.
    Page { next: String },
}

impl Report {
    /// One thing.
    pub(crate) fn object(header: &'static [&'static str], row: Vec<String>, json: Value) -> Self {
        Self {
            header,
            rows: vec![row],
            layout: Layout::Object,
            identity: 0,
            json,
        }
    }

    /// Several things.
    pub(crate) fn list(
        header: &'static [&'static str],
        rows: Vec<Vec<String>>,
        json: Value,
    ) -> Self {
        Self {
            header,
            rows,
            layout: Layout::List,
            identity: 0,
            json,
        }
    }

    /// The list is a page; `next` names the page after it and is empty on the last one.
    pub(crate) fn with_next_page(mut self, next: String) -> Self {
        self.layout = Layout::Page { next };
        self
    }

    /// Another column than the first one says what a row is about.
    pub(crate) const fn identified_by(mut self, column: usize) -> Self {
        self.identity = column;
        self
    }

    /// What was done with ids: one is shown as itself, several as a list.
    pub(crate) fn ids(ids: Vec<String>) -> Self {
        const HEADER: &[&str] = &["ID"];
        match <[String; 1]>::try_from(ids) {
            Ok([id]) => Self::object(HEADER, vec![id.clone()], Value::from(id)),
            Err(ids) => {
                let rows = ids.iter().map(|id| vec![id.clone()]).collect();
                Self::list(HEADER, rows, Value::from(ids))
            }
        }
    }

    /// Writes the result to standard output in the format that was asked for.
    ///
    /// # Errors
    /// When the path of the format leads nowhere, or standard output cannot be written.
    pub(crate) fn print(&self, api: &ApiFlags, process: &Process) -> Result<(), Failure> {
        let text = if api.quiet {
            self.quiet()
        } else {
            self.format(api.format.as_deref().unwrap_or("table"))?
        };
        output::deliver(process, &text)
    }

    /// An unknown format is a table, as it is for Hydra.
    fn format(&self, format: &str) -> Result<String, Failure> {
        if let Some(path) = format.strip_prefix("jsonpath=") {
            return Ok(pretty(&path::find(&self.json, path)?));
        }
        if let Some(pointer) = format.strip_prefix("jsonpointer=") {
            return self.json.pointer(pointer).map(pretty).ok_or_else(|| {
                Failure::new(format!(
                    "the JSON pointer `{pointer}` leads nowhere; see the result with --format \
                     json-pretty"
                ))
            });
        }
        Ok(match format {
            "json" => format!("{}\n", self.json),
            "json-pretty" => pretty(&self.json),
            "yaml" => yaml::document(&self.json),
            _ => table::align(&self.lines()),
        })
    }

    fn quiet(&self) -> String {
        let ids = self.rows.iter().filter_map(|row| row.get(self.identity));
        ids.map(|id| format!("{id}\n")).collect()
    }

    fn lines(&self) -> Vec<Vec<String>> {
        let header = self.header.iter().map(ToString::to_string);
        match &self.layout {
            Layout::Object => {
                let row = self.rows.iter().flatten();
                header
                    .zip(row)
                    .map(|(name, value)| vec![name, value.clone()])
                    .collect()
            }
            Layout::List => std::iter::once(header.collect())
                .chain(self.rows.clone())
                .collect(),
            Layout::Page { next } => {
                let mut lines = vec![header.collect()];
                lines.extend(self.rows.clone());
                lines.push(vec![String::new()]);
                lines.push(vec!["NEXT PAGE TOKEN".to_owned(), next.clone()]);
                lines.push(vec!["IS LAST PAGE".to_owned(), next.is_empty().to_string()]);
                lines
            }
        }
    }
}

/// JSON for people, with a final newline.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// JSON as Hydra's tools write it: names in alphabetical order.
pub(crate) fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Report {
        let row = vec!["k".to_owned(), "ES256".to_owned()];
        Report::object(
            &["KEY ID", "ALGORITHM"],
            row,
            json!({"kid": "k", "ops": ["a"]}),
        )
    }

    #[test]
    fn each_format_shows_the_result_its_own_way() {
        for (format, text) in [
            ("json", "{\"kid\":\"k\",\"ops\":[\"a\"]}\n"),
            (
                "json-pretty",
                "{\n  \"kid\": \"k\",\n  \"ops\": [\n    \"a\"\n  ]\n}\n",
            ),
            ("yaml", "kid: k\nops:\n- a\n"),
            ("jsonpath=kid", "\"k\"\n"),
            ("jsonpath=nope", "null\n"),
            ("jsonpointer=/ops", "[\n  \"a\"\n]\n"),
            ("table", "KEY ID\t\tk\t\nALGORITHM\tES256\t\n"),
            ("nope", "KEY ID\t\tk\t\nALGORITHM\tES256\t\n"),
        ] {
            assert_eq!(report().format(format).unwrap(), text, "{format}");
        }
        assert_eq!(report().quiet(), "k\n");
        assert!(report().format("jsonpointer=/nope").is_err());
    }

    #[test]
    fn one_id_is_itself_and_several_are_a_list() {
        let one = Report::ids(vec!["a".to_owned()]);
        assert_eq!(one.format("json").unwrap(), "\"a\"\n");
        assert_eq!(one.format("table").unwrap(), "ID\ta\t\n");
        let two = Report::ids(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(two.format("json").unwrap(), "[\"a\",\"b\"]\n");
        assert_eq!(two.format("table").unwrap(), "ID\t\na\t\nb\t\n");
    }

    #[test]
    fn a_page_says_where_the_list_goes_on() {
        let page = Report::list(&["ID"], vec![vec!["a".to_owned()]], json!({}));
        let last = page.with_next_page(String::new()).format("table").unwrap();
        assert_eq!(
            last,
            "ID\t\t\na\t\t\n\t\t\nNEXT PAGE TOKEN\t\t\nIS LAST PAGE\ttrue\t\n"
        );
    }
}
