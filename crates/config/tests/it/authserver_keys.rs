//! The keys of Hydra's configuration: each has a variable and a row in the reference.

use std::collections::{BTreeMap, BTreeSet};

use carnet_config::install::authserver::{KEYS, read};

#[test]
fn every_key_that_has_a_variable_is_known() {
    for key in KEYS {
        let name = key.to_uppercase().replace('.', "_");
        let (_, findings) = read(&[], &BTreeMap::from([(name, "x".to_owned())]), &[]);
        let unknown = findings
            .iter()
            .map(ToString::to_string)
            .find(|found| found.contains("unknown"));
        assert_eq!(unknown, None, "{key}");
    }
}

/// The page of the keys.
const PAGE: &str = include_str!("../../../../docs/reference/authserver.md");

#[test]
fn the_page_of_the_keys_names_each_of_them_and_no_other() {
    let both = |key: &str| key.replacen("serve.admin.", "serve.public.", 1);
    let known: BTreeSet<String> = KEYS.iter().map(|key| both(key)).collect();
    let named = |text: &str| -> BTreeSet<String> {
        let words = text.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    let missing: Vec<_> = known.difference(&named(PAGE)).cloned().collect();
    assert_eq!(missing, [""; 0], "add them to docs/reference/authserver.md");
    let (tables, rest) = PAGE.split_once("## Without effect").unwrap();
    let rows = tables.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    let told: BTreeSet<String> = cells.chain([rest]).flat_map(named).collect();
    let unknown: Vec<_> = told.difference(&known).cloned().collect();
    assert_eq!(unknown, [""; 0], "there are no such keys");
}
