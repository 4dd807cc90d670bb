//! Golden pairs: `<case>.yaml` or `<case>.toml` goes in, `<case>.expected` comes out.
//! `GOLDEN=accept cargo test` writes what comes out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use carnet_config::diagnostics::Object;
use carnet_config::document::{Node, parse_toml, parse_yaml};
use carnet_config::install::{self, authserver};
use carnet_config::routing::{self, RoutingConfig};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_input = |path: &PathBuf| path.extension().is_some_and(|e| e != "expected");
    let mut cases: Vec<_> = files.filter(is_input).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn document(path: &Path) -> Result<Node, String> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let parsed = match name.ends_with(".toml") {
        true => parse_toml(&text, name).map(|node| vec![node]),
        false => parse_yaml(&text, name),
    };
    let mut documents = parsed.map_err(|finding| format!("{finding}\n"))?;
    assert_eq!(documents.len(), 1, "{name}");
    Ok(documents.remove(0))
}

/// Whether what is found becomes what is expected (`just golden`).
#[expect(
    clippy::disallowed_methods,
    reason = "a word to the tests, not to the code"
)]
fn is_accepted() -> bool {
    std::env::var("GOLDEN").as_deref() == Ok("accept")
}

fn check(folder: &str, outcome: impl Fn(Node) -> String) {
    let mut wrong = Vec::new();
    for case in cases(folder) {
        let found = document(&case).map_or_else(|error| error, &outcome);
        assert!(!found.contains("CANARY"), "{}:\n{found}", case.display());
        let expected = case.with_extension("expected");
        if is_accepted() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&found) {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn object<T>(out: &mut String, noun: &str, name: &str, object: &Object<T>) {
    let state = if object.is_closed() {
        "closed"
    } else {
        "served"
    };
    writeln!(out, "{state} {noun} {name}").unwrap();
    for finding in &object.diagnostics {
        writeln!(out, "  {finding}").unwrap();
    }
}

fn told(config: &RoutingConfig) -> String {
    let mut out = String::new();
    for finding in &config.diagnostics {
        writeln!(out, "{finding}").unwrap();
    }
    for (name, router) in &config.routers {
        object(&mut out, "router", name, router);
    }
    for (name, service) in &config.services {
        object(&mut out, "service", name, service);
    }
    for (name, middleware) in &config.middlewares {
        object(&mut out, "middleware", name, middleware);
    }
    for (name, transport) in &config.servers_transports {
        object(&mut out, "serversTransport", name, transport);
    }
    out
}

// Holds SE-05: wherever a case puts the word CANARY, no finding repeats it.
#[test]
fn routing_documents_are_read_as_expected() {
    check("routing", |root| match routing::read(&root) {
        Ok(config) => told(&config),
        Err(findings) => {
            let lines = findings.iter().map(|finding| format!("{finding}\n"));
            format!("unreadable\n{}", lines.collect::<String>())
        }
    });
}

#[test]
fn install_documents_are_read_as_expected() {
    check("install", |root| {
        let (config, findings) = install::read_document(&root);
        let lines = findings.iter().map(|finding| format!("{finding}\n"));
        format!("{}{config:#?}\n", lines.collect::<String>())
    });
}

#[test]
fn authorization_server_documents_are_read_as_expected() {
    check("authserver", |root| {
        let (_, findings) = authserver::read(&[root], &BTreeMap::new(), &[]);
        findings
            .iter()
            .map(|finding| format!("{finding}\n"))
            .collect()
    });
}
