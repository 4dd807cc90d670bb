//! A fix of a weakness comes with the test that would have found it.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::project::Project;

/// How a commit says that it is such a fix.
const SUBJECT: &str = "security:";

/// Fixes without a test. Without a history, as in an unpacked archive, there is nothing to see.
pub(super) fn faults(project: &Project) -> Result<Vec<String>> {
    let root = project.metadata.workspace_root.as_std_path();
    if !root.join(".git").exists() {
        return Ok(Vec::new());
    }
    let log = Command::new("git")
        .current_dir(root)
        .args([
            "log",
            "--extended-regexp",
            "--patch",
            "--unified=0",
            "--format=commit %h %s",
        ])
        .arg(format!("--grep=^{SUBJECT}"))
        .output()
        .context("git log cannot be run")?;
    Ok(untested(&String::from_utf8_lossy(&log.stdout)))
}

/// The commits of a log with patches that add no test and no `Holds` comment, and touch no file of
/// tests.
fn untested(log: &str) -> Vec<String> {
    let commits = log
        .split("\ncommit ")
        .map(|commit| commit.trim_start_matches("commit "));
    let fixes = commits.filter(|commit| {
        commit
            .split_once(' ')
            .is_some_and(|(_, subject)| subject.starts_with(SUBJECT))
    });
    let tested = |commit: &str| {
        commit.lines().any(|line| {
            (line.starts_with("+++ ") && (line.contains("/tests/") || line.ends_with("/tests.rs")))
                || (line.starts_with('+')
                    && ["// Holds ", "#[test]"]
                        .iter()
                        .any(|mark| line.contains(mark)))
        })
    };
    let untested = fixes.filter(|commit| !tested(commit));
    untested
        .map(|commit| {
            format!(
                "{}: fixes without a test",
                commit.lines().next().unwrap_or_default()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds OP-13.
    #[test]
    fn a_fix_without_a_test_is_found() {
        let log = "commit a1 security: refuse x\n\n+++ b/crates/a/tests/it/x.rs\n+fn x() {}\n\
            commit b2 security: refuse y\n\n+++ b/crates/a/src/y.rs\n+fn y() {}\n\
            commit c3 security: refuse z\n\n+++ b/crates/a/src/z.rs\n+    // Holds TE-05.\n\
            commit e5 security: refuse u\n\n+++ b/crates/a/src/u.rs\n+    #[test]\n\
            commit d4 gateway: not about\nsecurity: at all\n";
        assert_eq!(
            untested(log),
            ["b2 security: refuse y: fixes without a test"]
        );
        assert!(untested("").is_empty());
    }
}
