//! The page of what is not served yet, the list in the code, and what the readers say of it.

use std::collections::BTreeSet;

use carnet_config::diagnostics::Diagnostic;
use carnet_config::document::parse_yaml;
use carnet_config::install::read_document;
use carnet_config::not_yet::{ALL, INSTALL_TOP, Keys, ROUTES_TOP};
use carnet_config::routing;

const PAGE: &str = include_str!("../../../../docs/reference/not-yet.md");

/// Anchor and key of each row of the page.
fn rows() -> BTreeSet<(String, String)> {
    let mut anchor = String::new();
    let mut rows = BTreeSet::new();
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            anchor = heading.to_lowercase().replace(' ', "-");
        }
        let cell = line.strip_prefix("| `").and_then(|row| row.split_once('`'));
        if let Some((key, _)) = cell {
            assert!(rows.insert((anchor.clone(), key.to_owned())), "{key} twice");
        }
    }
    rows
}

#[test]
fn the_page_has_a_row_for_each_key_that_is_not_served_and_no_other() {
    let listed = ALL.iter().flat_map(|keys| {
        let key = move |key| (keys.anchor.to_owned(), key);
        keys.dotted().map(key)
    });
    let listed: BTreeSet<_> = listed.collect();
    let rows = rows();
    let missing: Vec<_> = listed.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&listed).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "docs/reference/not-yet.md lacks {missing:?} and has {stale:?}, which are served"
    );
}

/// A document with nothing but the key.
fn document(path: &str, key: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    let parts = path.split('.').filter(|part| !part.is_empty());
    for part in parts.chain([key]) {
        text += &format!("{}{}:\n", "  ".repeat(depth), part.replace('*', "name"));
        depth += 1;
    }
    text + &format!("{}x: y\n", "  ".repeat(depth))
}

/// Where the install configuration is.
const INSTALL: [&str; 8] = [
    "accessLog",
    "api",
    "certificatesResolvers",
    "entryPoints",
    "log",
    "metrics",
    "providers",
    "tracing",
];

fn findings(keys: &Keys, key: &str) -> Option<Vec<Diagnostic>> {
    let node = parse_yaml(&document(keys.path, key), "a.yaml")
        .unwrap()
        .remove(0);
    let is_routes = keys.path == ROUTES_TOP || ["http", "tls"].contains(&first(keys.path));
    let is_install = keys.path == INSTALL_TOP || INSTALL.contains(&first(keys.path));
    match (is_install, is_routes) {
        (true, false) => Some(read_document(&node).1),
        (false, true) => {
            let config = routing::read(&node).unwrap();
            let mut all = config.diagnostics;
            all.extend(config.routers.values().cloned().flat_map(|o| o.diagnostics));
            all.extend(config.services.into_values().flat_map(|o| o.diagnostics));
            all.extend(
                config
                    .middlewares
                    .values()
                    .cloned()
                    .flat_map(|o| o.diagnostics),
            );
            let transports = config.servers_transports.values().cloned();
            all.extend(transports.flat_map(|o| o.diagnostics));
            all.extend(
                config
                    .tls
                    .stores
                    .values()
                    .cloned()
                    .flat_map(|o| o.diagnostics),
            );
            Some(all)
        }
        // Kubernetes objects, which another room reads.
        _ => None,
    }
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

#[test]
fn each_key_of_the_list_is_told_of_with_the_page_where_it_stands() {
    let mut told = 0;
    for keys in ALL {
        for key in keys.keys {
            let Some(findings) = findings(keys, key) else {
                assert_eq!(keys.anchor, "kubernetes-objects", "{}", keys.path);
                continue;
            };
            let sentence = keys.sentence(key);
            let is_told = |finding: &Diagnostic| {
                finding.message.ends_with(&sentence) && finding.severity == keys.severity()
            };
            assert!(
                findings.iter().any(is_told),
                "{}.{key}: {findings:?}",
                keys.path
            );
            told += 1;
        }
    }
    assert!(told > 40, "{told}");
}
