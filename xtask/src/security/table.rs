//! Reading docs/security.md.

use std::collections::BTreeMap;

/// What the document says.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By id.
    pub(super) rows: BTreeMap<String, Row>,
    /// What is wrong with the document itself.
    pub(super) faults: Vec<String>,
}

/// One id.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) text: String,
    /// The part of the project that holds what no test of today does; empty: nothing is left.
    pub(super) part: String,
}

/// Reads the parts (two columns, the first in backticks) and the ids (three columns).
pub(super) fn read(document: &str) -> Table {
    let mut table = Table::default();
    let mut parts = Vec::new();
    for line in document.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            [part, _] if part.starts_with('`') => parts.push(part.trim_matches('`')),
            [id, text, part] if is_id(id) => {
                let row = Row {
                    text: (*text).to_owned(),
                    part: (*part).to_owned(),
                };
                if !part.is_empty() && !parts.contains(part) {
                    table
                        .faults
                        .push(format!("docs/security.md: {id}: {part} is no part"));
                }
                if text.is_empty() || table.rows.insert((*id).to_owned(), row).is_some() {
                    table
                        .faults
                        .push(format!("docs/security.md: {id} is empty or there twice"));
                }
            }
            _ => {}
        }
    }
    table
}

/// `TE-05`, `K8-01`, `F30`, and the numbers of advisories: `CVE-2021-32701`.
pub(super) fn is_id(word: &str) -> bool {
    word.strip_prefix("CVE-")
        .map_or_else(|| is_own(word), is_advisory)
}

/// A year and a number.
fn is_advisory(number: &str) -> bool {
    let is_number = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    number.split_once('-').is_some_and(|(year, number)| {
        year.len() == 4 && number.len() >= 4 && is_number(year) && is_number(number)
    })
}

fn is_own(word: &str) -> bool {
    let (letters, number) = match word.split_once('-') {
        Some(halves) => halves,
        None => word.split_at(usize::from(word.starts_with('F'))),
    };
    (1..=2).contains(&letters.len())
        && letters.starts_with(|letter: char| letter.is_ascii_uppercase())
        && letters
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
        && number.len() == 2
        && number.chars().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_words() {
        for (word, expected) in [
            ("TE-05", true),
            ("K8-01", true),
            ("F30", true),
            ("CVE-2021-32701", true),
            ("CVE-2021-1", false),
            ("CVE-21-32701", false),
            ("CVE-2021-3270x", false),
            ("id", false),
            ("TE-5", false),
            ("F3", false),
            ("---", false),
            ("T", false),
            ("X30", false),
            ("", false),
        ] {
            assert_eq!(is_id(word), expected, "{word}");
        }
    }

    #[test]
    fn a_row_that_is_there_twice_or_names_no_part_is_found() {
        let head = "| `later` | x |\n";
        assert!(
            read(&format!("{head}| TE-01 | a | later |\n"))
                .faults
                .is_empty()
        );
        assert_eq!(
            read(&format!("{head}| TE-01 | a | |\n| TE-01 | a | |\n"))
                .faults
                .len(),
            1
        );
        assert_eq!(
            read(&format!("{head}| TE-01 | a | never |\n")).faults.len(),
            1
        );
        assert_eq!(read(&format!("{head}| TE-01 | | |\n")).faults.len(), 1);
    }
}
