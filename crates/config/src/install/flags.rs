//! Command-line flags: `--entryPoints.web.address=:80`, whatever their case.

use super::{InstallConfig, read::read};
use crate::diagnostics::{Diagnostic, Position, Severity};
use crate::document::{MAX_DEPTH, Spelling, Tree};

/// Flags that say where the configuration is, not what it is.
const CONFIG_FILE: &str = "configFile";

/// Reads flags: `--key=value`, `--key value`, and `--key` for `true`, with one dash or two; lists
/// by commas, by repetition or by place (`--key[0]=value`). `--configFile` is left to
/// [`config_file`]. With an error among the findings the gateway does not start.
pub fn read_flags(arguments: &[String]) -> (InstallConfig, Vec<Diagnostic>) {
    let mut tree = Tree::new(position());
    let mut findings = Vec::new();
    for flag in flags(arguments) {
        match flag {
            Ok((name, _)) if name.eq_ignore_ascii_case(CONFIG_FILE) => {}
            Ok((name, value)) => match path(name) {
                Some(path) => tree.insert(&path, value),
                None => findings.push(error(format!("`--{name}` is no name of an option"))),
            },
            Err(place) => {
                let message = format!("argument {place} belongs to no flag; flags start with `--`");
                findings.push(error(message));
            }
        }
    }
    let root = tree.finish();
    let (config, mut more) = read(&root, Spelling::Flags);
    findings.append(&mut more);
    (config, findings)
}

/// The file that `--configFile` names, if it is among the flags.
pub fn config_file(arguments: &[String]) -> Option<&str> {
    let named = |flag| match flag {
        Ok((name, value)) if str::eq_ignore_ascii_case(name, CONFIG_FILE) => Some(value),
        _ => None,
    };
    flags(arguments).into_iter().filter_map(named).next_back()
}

/// The first argument that is not about the configuration file: it does not count beside one.
pub fn beside_config_file(arguments: &[String]) -> Option<&str> {
    let is_other = |flag| match flag {
        Ok((name, _)) if str::eq_ignore_ascii_case(name, CONFIG_FILE) => None,
        Ok((name, _)) => Some(name),
        Err(_) => None,
    };
    flags(arguments).into_iter().find_map(is_other)
}

/// Names and values, or the place of an argument that is neither.
fn flags(arguments: &[String]) -> Vec<Result<(&str, &str), usize>> {
    let mut flags = Vec::new();
    let mut rest = arguments.iter().enumerate().peekable();
    while let Some((index, argument)) = rest.next() {
        let Some(flag) = argument.strip_prefix('-') else {
            flags.push(Err(index + 1));
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        flags.push(Ok(match flag.split_once('=') {
            Some((name, value)) => (name, value),
            None => {
                let value = rest.next_if(|(_, next)| !next.starts_with('-'));
                (flag, value.map_or("true", |(_, value)| value.as_str()))
            }
        }));
    }
    flags
}

/// `a.b[0].c` to `a`, `b`, `[0]`, `c`.
fn path(name: &str) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for part in name.split('.') {
        let (key, places) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() {
            return None;
        }
        path.push(key.to_owned());
        path.extend(places.split_inclusive(']').map(str::to_owned));
    }
    (path.len() <= MAX_DEPTH).then_some(path)
}

fn position() -> Position {
    Position {
        source: "flag".into(),
        line: 0,
        column: 0,
    }
}

fn error(message: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object: String::new(),
        key: String::new(),
        message,
        position: Some(position()),
    }
}
