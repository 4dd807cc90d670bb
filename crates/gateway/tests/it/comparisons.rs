//! Secrets that callers bring are looked up by keyed digests or compared by `subtle`, and never by
//! `==`, which ends at the first byte that differs.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that see secrets of callers. The import compares those of one administrator.
const ROOMS: [&str; 4] = ["authserver", "gateway", "jose", "oauth"];
const EXCEPT: &str = "authserver/src/import";

/// Whether a configuration is the same as before is for `fn eq`: no caller has a say in it.
const OPTIONS: &str = "fn eq(";

// Holds CA-14.
#[test]
fn no_secret_of_a_caller_is_compared_byte_by_byte() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut of_options = 0;
    for file in ROOMS
        .iter()
        .flat_map(|room| sources(&crates.join(room).join("src")))
    {
        if file.starts_with(crates.join(EXCEPT)) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let (found, excused) = comparisons(code);
        assert_eq!(found, [""; 0], "{}", file.display());
        of_options += excused;
    }
    assert!(of_options > 0, "the search finds nothing at all");
}

#[test]
fn a_comparison_is_found_where_it_is_no_option() {
    let bad = "fn is_right() {\n    a.expose_secret() == b\n}";
    assert_eq!(comparisons(bad).0, ["a.expose_secret() == b"]);
    let option = "fn eq(&self) {\n    a.expose_secret() == b\n}";
    assert_eq!(comparisons(option), (Vec::new(), 1));
}

/// Lines that compare an exposed secret, and how many are excused.
fn comparisons(code: &str) -> (Vec<&str>, usize) {
    let (mut found, mut excused, mut is_option) = (Vec::new(), 0, false);
    for line in code.lines() {
        if line.contains("fn ") {
            is_option = line.contains(OPTIONS);
        }
        let compares = line.contains(" == ") || line.contains(" != ") || line.contains(".eq(");
        match line.contains("expose_secret()") && compares {
            true if is_option => excused += 1,
            true => found.push(line.trim()),
            false => {}
        }
    }
    (found, excused)
}

/// The sources of a folder without those of its tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}
