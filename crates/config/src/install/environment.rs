//! Environment variables: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80`.

use std::collections::BTreeMap;

use super::{InstallConfig, read::read};
use crate::diagnostics::{Diagnostic, Position};
use crate::document::{MAX_DEPTH, Spelling, Tree};

/// What the names of our variables start with.
pub const ENVIRONMENT_PREFIX: &str = "TRAEFIK_";

/// Reads the variables that start with [`ENVIRONMENT_PREFIX`]: upper case, `_` for each dot, places in lists
/// as numbers. Names of entry points become lower case. Variables that mean nothing here are no
/// error: Kubernetes makes some of its own. With an error among the findings the gateway does not
/// start.
pub fn read_environment(variables: &BTreeMap<String, String>) -> (InstallConfig, Vec<Diagnostic>) {
    let mut tree = Tree::new(Position {
        source: "environment".into(),
        line: 0,
        column: 0,
    });
    for (name, value) in variables {
        let Some(name) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
            continue;
        };
        let path: Vec<String> = name.split('_').map(str::to_ascii_lowercase).collect();
        if path.len() <= MAX_DEPTH && path.iter().all(|part| !part.is_empty()) {
            tree.insert(&path, value);
        }
    }
    read(&tree.finish(), Spelling::Environment)
}
