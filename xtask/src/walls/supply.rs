//! What is built from what: pinned, locked, ours without `unsafe` and without build scripts.

use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_metadata::TargetKind;

use crate::project::{File, Project};

/// The test command; every cargo line in it uses the committed lock file.
const SCRIPT: &str = "scripts/test.sh";

/// Crates that may be nowhere below us: a second library for TLS or cryptography, and `rsa`, whose
/// timing leak has no fix (RUSTSEC-2023-0071). `deny.toml` looks at more, on every platform.
const BANNED: [&str; 5] = ["native-tls", "openssl", "openssl-sys", "ring", "rsa"];

/// What is wrong.
pub(super) fn faults(project: &Project) -> Result<Vec<String>> {
    let text = |path: &str| project.file(path).map_or("", |file| file.text.as_str());
    let mut faults = Vec::new();
    if project.file("Cargo.lock").is_none() || text(".gitignore").contains("Cargo.lock") {
        faults.push("Cargo.lock is not committed".to_owned());
    }
    faults.extend(toolchain_fault(text("rust-toolchain.toml")));
    faults.extend(unlocked(text(SCRIPT)));
    faults.extend(unsafe_allowed(text("Cargo.toml"), &manifests(project)));
    for package in project.metadata.workspace_packages() {
        if package
            .targets
            .iter()
            .any(|target| target.kind.contains(&TargetKind::CustomBuild))
        {
            faults.push(format!(
                "{} has a build script: generate files and commit them",
                package.name
            ));
        }
    }
    faults.extend(banned(&tree(project)?));
    Ok(faults)
}

/// Every package that is built on this platform, a line each.
fn tree(project: &Project) -> Result<String> {
    let tree = Command::new("cargo")
        .current_dir(&project.metadata.workspace_root)
        .args([
            "tree",
            "--locked",
            "--workspace",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .context("cargo tree cannot be run")?;
    anyhow::ensure!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    Ok(String::from_utf8_lossy(&tree.stdout).into_owned())
}

/// Banned crates in a tree.
fn banned(tree: &str) -> Vec<String> {
    let built = |name: &&&str| {
        tree.lines()
            .any(|line| line.split(' ').next() == Some(**name))
    };
    let found = BANNED.iter().filter(built);
    found
        .map(|name| format!("{name} is banned and built: cargo tree -i {name}"))
        .collect()
}

/// The manifests of the members.
fn manifests(project: &Project) -> Vec<&File> {
    let manifest = |file: &&File| {
        file.path.ends_with("/Cargo.toml")
            && (file.path.starts_with("crates/") || file.path.starts_with("xtask/"))
    };
    project.files.iter().filter(manifest).collect()
}

/// A channel such as `stable` means another compiler tomorrow.
fn toolchain_fault(toolchain: &str) -> Option<String> {
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let version = channel.unwrap_or_default().trim_matches('"');
    let exact = version
        .split('.')
        .filter(|part| part.parse::<u32>().is_ok())
        .count()
        == 3;
    (!exact).then(|| "rust-toolchain.toml must pin a whole version, such as 1.95.0".to_owned())
}

/// Lines of the script in which cargo may choose versions by itself.
fn unlocked(script: &str) -> Vec<String> {
    let resolves = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).any(|pair| {
            pair[0] == "cargo"
                && ["build", "check", "clippy", "doc", "install", "run", "test"].contains(&pair[1])
        })
    };
    let lines = script
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with('#'));
    lines
        .filter(|(_, line)| resolves(line) && !line.contains("--locked"))
        .map(|(number, _)| format!("{SCRIPT}:{}: cargo without --locked", number + 1))
        .collect()
}

/// Members that do not take over the workspace's lints, among them `unsafe_code = "forbid"`.
fn unsafe_allowed(workspace: &str, members: &[&File]) -> Vec<String> {
    let forbidden = workspace
        .lines()
        .any(|line| line == "unsafe_code = \"forbid\"");
    let root = (!forbidden).then(|| "Cargo.toml does not forbid unsafe_code".to_owned());
    let takes_over = |file: &&&File| !file.text.contains("[lints]\nworkspace = true");
    let members = members.iter().filter(takes_over);
    root.into_iter()
        .chain(members.map(|file| format!("{} lacks [lints] workspace = true", file.path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds SC-01.
    #[test]
    fn a_version_that_could_change_by_itself_is_found() {
        for (toolchain, faults) in [
            ("[toolchain]\nchannel = \"1.95.0\"\n", 0),
            ("[toolchain]\nchannel = \"stable\"\n", 1),
            ("[toolchain]\nchannel = \"1.95\"\n", 1),
            ("", 1),
        ] {
            assert_eq!(
                toolchain_fault(toolchain).iter().count(),
                faults,
                "{toolchain}"
            );
        }
        let script = "cargo fmt --check\n# cargo test\ncargo test --locked\ncargo  test\n";
        assert_eq!(
            unlocked(script),
            ["scripts/test.sh:4: cargo without --locked"]
        );
    }

    #[test]
    fn a_banned_crate_is_found() {
        assert!(banned("ring-buffer v1.0.0\nrustls v0.23.46\n").is_empty());
        assert_eq!(
            banned("rustls v0.23.46\nring v0.17.14 (*)\nrsa v0.9.8\n").len(),
            2
        );
    }

    // Holds SC-07.
    #[test]
    fn a_crate_that_could_be_unsafe_is_found() {
        let member = |text: &str| File {
            path: "crates/a/Cargo.toml".to_owned(),
            text: text.to_owned(),
        };
        let good = member("[lints]\nworkspace = true\n");
        let bad = member("[dependencies]\n");
        let forbids = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        assert!(unsafe_allowed(forbids, &[&good]).is_empty());
        assert_eq!(unsafe_allowed(forbids, &[&good, &bad]).len(), 1);
        assert_eq!(
            unsafe_allowed("unsafe_code = \"warn\"\n", &[&good]).len(),
            1
        );
    }
}
