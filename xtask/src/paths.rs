//! Paths that documents name: a document that points nowhere is wrong about everything else too.

use std::collections::BTreeSet;

use anyhow::Result;
use regex::Regex;

use crate::project::{File, Project};

/// Words in backticks that begin with one of these are paths from the root.
const TOPS: [&str; 10] = [
    "crates/",
    "xtask/",
    "docs/",
    "scripts/",
    "compat/",
    "bench/",
    "fuzz/",
    "demo/",
    "examples/",
    ".ci/",
];

/// Files below the root whose name alone is a path.
const ROOT_FILES: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "justfile",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

/// Paths that are named and do not exist.
pub(crate) fn faults(project: &Project) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = project.paths.iter().map(String::as_str).collect();
    let documents = project.files.iter().filter(|file| is_document(&file.path));
    let mut faults = Vec::new();
    for document in documents {
        faults.extend(missing(document, &known)?);
    }
    Ok(faults)
}

/// What people read to find their way.
fn is_document(path: &str) -> bool {
    path.ends_with(".md") && (path.starts_with("docs/") || !path.contains('/'))
}

/// The paths of one document that do not exist.
fn missing(document: &File, known: &BTreeSet<&str>) -> Result<Vec<String>> {
    let named = Regex::new(r"`([^`\s]+)`|\]\(([^)\s#]+)[^)]*\)")?;
    let mut faults = Vec::new();
    let mut in_block = false;
    for (number, line) in document.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        for capture in named.captures_iter(line).filter(|_| !in_block) {
            let exists = match (capture.get(1), capture.get(2)) {
                (Some(word), _) => word_exists(word.as_str(), known),
                (_, Some(link)) => link_exists(&document.path, link.as_str(), known),
                _ => true,
            };
            if !exists {
                let text = &capture[0];
                faults.push(format!(
                    "{}:{}: {text} does not exist",
                    document.path,
                    number + 1
                ));
            }
        }
    }
    Ok(faults)
}

/// Whether a word in backticks is no path, or one that exists. A Rust file may be named from its
/// room's `src`; of a path with a placeholder, the folder counts.
fn word_exists(word: &str, known: &BTreeSet<&str>) -> bool {
    let from_root = TOPS.iter().any(|top| word.starts_with(top)) || ROOT_FILES.contains(&word);
    let source = word.ends_with(".rs");
    if !from_root && !source || word.contains("://") {
        return true;
    }
    let fixed = match word.find(['<', '*', '{']) {
        Some(at) => word[..at].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => word.trim_end_matches('/'),
    };
    let ends_with = |path: &&str| {
        path.strip_suffix(fixed)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    fixed.is_empty() || known.contains(fixed) || (source && known.iter().any(ends_with))
}

/// Whether a link leads outside, or to something that exists.
fn link_exists(document: &str, link: &str, known: &BTreeSet<&str>) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let mut folders: Vec<&str> = document.split('/').collect();
    folders.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                folders.pop();
            }
            name => folders.push(name),
        }
    }
    known.contains(folders.join("/").as_str())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_is_found() {
        let known = BTreeSet::from([
            "README.md",
            "docs/adr",
            "docs/a.md",
            "crates/a/src/b/c.rs",
            "crates/a",
        ]);
        for (text, faults) in [
            ("`crates/a/src/b/c.rs`", 0),
            ("`crates/a/`", 0),
            ("`crates/b/`", 1),
            ("`b/c.rs`, `c.rs`", 0),
            ("`b/d.rs`", 1),
            ("`docs/adr/<n>.md`", 0),
            ("`docs/adt/<n>.md`", 1),
            ("`deny.toml`", 1),
            ("`application/json`, `traefik.yaml`, `carnet up`", 0),
            (
                "[a](a.md), [b](../README.md#top), [c](https://example.com/x)",
                0,
            ),
            ("[b](b.md)", 1),
            ("```\n`crates/b/`\n```", 0),
        ] {
            let document = File {
                path: "docs/x.md".to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(missing(&document, &known).unwrap().len(), faults, "{text}");
        }
    }
}
