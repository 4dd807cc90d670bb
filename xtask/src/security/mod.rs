//! The ids that must hold (docs/security.md), and the tests that name them.
//!
//! A test names an id in a comment of its own above it: `// Holds TE-05, TE-11.` Commands do so
//! with `#`. Knows nothing of what an id means.

mod fixes;
mod holds;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;

use crate::project::Project;

/// Where the table is.
const TABLE: &str = "docs/security.md";

/// What was found.
pub(crate) struct Report {
    pub(crate) faults: Vec<String>,
    /// One line an id, with its tests.
    pub(crate) list: String,
    pub(crate) summary: String,
}

/// Compares the table with the tests.
pub(crate) fn report(project: &Project) -> Result<Report> {
    let document = project.file(TABLE).map_or("", |file| file.text.as_str());
    let table = table::read(document);
    let holds = holds::find(&project.files);
    let mut faults = table.faults.clone();
    faults.extend(compare(&table, &holds));
    faults.extend(fixes::faults(project)?);
    let mut list = String::new();
    for (id, row) in &table.rows {
        let tests = holds
            .get(id)
            .map(|places| places.join(", "))
            .unwrap_or_default();
        writeln!(list, "{id}\t{}\t{tests}", row.part)?;
    }
    let tested = table
        .rows
        .keys()
        .filter(|id| holds.contains_key(*id))
        .count();
    let summary = format!("{} ids, {tested} with a test", table.rows.len());
    Ok(Report {
        faults,
        list,
        summary,
    })
}

/// Ids that nobody holds, and names of ids that do not exist.
fn compare(table: &table::Table, holds: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let orphans = table
        .rows
        .iter()
        .filter(|(id, row)| row.part.is_empty() && !holds.contains_key(*id));
    let unknown = holds.iter().filter(|(id, _)| !table.rows.contains_key(*id));
    orphans
        .map(|(id, row)| format!("{TABLE}: {id} has neither a test nor a part: {}", row.text))
        .chain(unknown.map(|(id, places)| format!("{}: {id} is not in {TABLE}", places.join(", "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "| part | what |\n|---|---|\n| `later` | x |\n\n\
        | id | what must hold | rest |\n|---|---|---|\n\
        | TE-01 | a | |\n| TE-02 | b | later |\n";

    fn found(holds: &[&str]) -> Vec<String> {
        let holds = holds
            .iter()
            .map(|id| ((*id).to_owned(), vec!["a.rs".to_owned()]))
            .collect();
        compare(&table::read(DOCUMENT), &holds)
    }

    #[test]
    fn an_id_without_test_and_without_part_is_found() {
        assert_eq!(found(&["TE-01"]), Vec::<String>::new());
        assert_eq!(
            found(&[]),
            ["docs/security.md: TE-01 has neither a test nor a part: a"]
        );
    }

    #[test]
    fn a_test_that_names_an_unknown_id_is_found() {
        assert_eq!(
            found(&["TE-01", "TE-99"]),
            ["a.rs: TE-99 is not in docs/security.md"]
        );
    }
}
