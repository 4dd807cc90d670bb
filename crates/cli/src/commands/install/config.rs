//! Traefik's static configuration: a file, or else flags, or else the environment; never mixed.

use std::fs;
use std::path::Path;

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::document::{self, Node, Value};
use carnet_config::install::{self, InstallConfig};

use crate::output::{self, Failure};
use crate::process::Process;

/// Reads the configuration of the gateway.
pub(in crate::commands) fn load(
    flags: &[String],
    process: &Process,
) -> Result<InstallConfig, Failure> {
    let named = install::config_file(flags).map(str::to_owned);
    let file = named.or_else(|| {
        let variable = |name: &str| process.env.get(name).map(String::as_str);
        install::search_names(variable("XDG_CONFIG_HOME"), variable("HOME"))
            .into_iter()
            .find(|name| Path::new(name).is_file())
    });
    if let (Some(file), Some(flag)) = (&file, install::beside_config_file(flags)) {
        let text = format!("flag: warning: {flag}: does not count, as {file} is read instead");
        output::say(process, &text);
    }
    match file {
        Some(file) => accept(install::read_document(&document(&file)?), process),
        None if flags.is_empty() => accept(install::read_environment(&process.env), process),
        None => from_flags(flags, process),
    }
}

/// Reads flags alone.
pub(in crate::commands) fn from_flags(
    flags: &[String],
    process: &Process,
) -> Result<InstallConfig, Failure> {
    accept(install::read_flags(flags), process)
}

/// The tree of a YAML or TOML file.
pub(in crate::commands) fn document(file: &str) -> Result<Node, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::new(format!(
            "{file} cannot be read: {error}; name the configuration's file"
        ))
    })?;
    let failed = |problem: Diagnostic| Failure::verbatim(problem.to_string());
    if Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "toml")
    {
        return document::parse_toml(&text, file).map_err(failed);
    }
    let documents = document::parse_yaml(&text, file).map_err(failed)?;
    documents
        .into_iter()
        .find(|node| node.value != Value::Null)
        .ok_or_else(|| Failure::new(format!("{file} is empty; write the configuration into it")))
}

/// A configuration without errors. Warnings are said; the last error is the failure, the others are
/// said before it.
pub(in crate::commands) fn accept<C>(
    (config, findings): (C, Vec<Diagnostic>),
    process: &Process,
) -> Result<C, Failure> {
    let (mut errors, warnings): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.severity == Severity::Error);
    for warning in warnings {
        output::say(process, &warning.to_string());
    }
    let Some(last) = errors.pop() else {
        return Ok(config);
    };
    for error in errors {
        output::say(process, &error.to_string());
    }
    Err(Failure::verbatim(last.to_string()))
}
