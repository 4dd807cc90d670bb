//! The comments that name ids.

use std::collections::BTreeMap;

use crate::project::File;
use crate::security::table::is_id;

/// Files that hold things.
const KINDS: [&str; 5] = [".rs", ".sh", ".toml", ".py", ".yaml"];

/// Each id with the places that name it, as `file:line`.
pub(super) fn find(files: &[File]) -> BTreeMap<String, Vec<String>> {
    let mut holds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files
        .iter()
        .filter(|file| KINDS.iter().any(|kind| file.path.ends_with(kind)))
    {
        for (number, line) in file.text.lines().enumerate() {
            for word in ids(line) {
                let place = format!("{}:{}", file.path, number + 1);
                holds.entry(word.to_owned()).or_default().push(place);
            }
        }
    }
    holds
}

/// The ids of one line: `// Holds TE-05, TE-11.`, or with `#`.
fn ids(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.trim_start();
    let comment = comment
        .strip_prefix("//")
        .or_else(|| comment.strip_prefix('#'));
    let named = comment.and_then(|text| text.trim_start_matches('/').trim().strip_prefix("Holds "));
    let words = named
        .unwrap_or_default()
        .split([' ', ',', '.', ':', ';', '(', ')']);
    words.filter(|word| is_id(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_comments_alone() {
        for (line, expected) in [
            ("    // Holds TE-05.", vec!["TE-05"]),
            ("// Holds TE-04, TE-06.", vec!["TE-04", "TE-06"]),
            ("# Holds SC-02 and F30.", vec!["SC-02", "F30"]),
            ("/// Holds TE-05.", vec!["TE-05"]),
            ("let x = \"Holds TE-05\";", vec![]),
            ("// See TE-05.", vec![]),
        ] {
            assert_eq!(ids(line).collect::<Vec<_>>(), expected, "{line}");
        }
    }
}
