//! From paths to one routing configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io, mem};

use carnet_config::diagnostics::{Diagnostic, Object, Position, Severity};
use carnet_config::document;
use carnet_config::install::providers::FileSource;
use carnet_config::routing::{self, RoutingConfig};

use secrecy::SecretString;

use super::secrets::{self, Secrets};
use super::{FileProvider, NAME, template};
use crate::{Scope, Update};

/// Greatest size of a file, in bytes.
const MAX_SIZE: u64 = 8 << 20;

impl FileProvider {
    /// Reads everything. `findings`: what the caller has found out already.
    pub(super) fn load_with(&mut self, mut findings: Vec<Diagnostic>) -> Update {
        let mut failed = BTreeSet::new();
        let mut materials = BTreeSet::new();
        match self.paths() {
            Ok(paths) => {
                self.files.retain(|path, _| paths.contains(path));
                for path in paths {
                    match self.read(&path, &mut materials) {
                        Ok(config) => {
                            self.files.insert(path, config);
                        }
                        Err(reasons) => {
                            findings.extend(reasons);
                            failed.insert(path);
                        }
                    }
                }
            }
            Err((path, error)) => {
                findings.push(unreadable(&path, &error));
                failed.insert(path);
            }
        }
        self.materials.extend(materials);
        let config = self.merge(&mut findings);
        let current = failed.is_empty();
        let readable = self.note_unread(failed);
        let before = mem::replace(&mut self.standing, findings.clone());
        findings.retain(|finding| !before.contains(finding));
        Update {
            provider: NAME.to_owned(),
            config,
            scope: Scope::All,
            diagnostics: findings,
            readable,
            current,
        }
    }

    /// The files there are, or the folder that cannot be listed.
    pub(super) fn paths(&self) -> Result<BTreeSet<PathBuf>, (PathBuf, io::Error)> {
        let mut paths = BTreeSet::new();
        match &self.options.source {
            FileSource::File(name) => {
                paths.insert(PathBuf::from(name));
            }
            FileSource::Directory(name) => list(Path::new(name), &mut paths)?,
        }
        Ok(paths)
    }

    /// Reads a file. `materials` gets the certificates, keys and secrets it names.
    fn read(
        &self,
        path: &Path,
        materials: &mut BTreeSet<PathBuf>,
    ) -> Result<RoutingConfig, Vec<Diagnostic>> {
        let source: Arc<str> = path.display().to_string().into();
        let text = read_text(path).map_err(|error| vec![unreadable(path, &error)])?;
        if text.trim().is_empty() && self.files.get(path).is_some_and(says_something) {
            // A disk that was full, an editor that was killed.
            let reason =
                "it is empty now, so what it said before counts; write `http: {}` to say nothing";
            return Err(vec![finding(path, reason)]);
        }
        let text = template::render(&text, &source, &self.env).map_err(|finding| vec![finding])?;
        let root = match extension(path).as_deref() {
            Some("toml") => document::parse_toml(&text, source).map(|node| vec![node]),
            Some("yaml" | "yml") => document::parse_yaml(&text, source),
            _ => Err(finding(
                path,
                "the name ends in none of .yaml, .yml and .toml; rename the file",
            )),
        };
        match root.map_err(|finding| vec![finding])?.as_mut_slice() {
            [] => Ok(RoutingConfig::default()),
            [root] => {
                let mut read = |path: &str| {
                    materials.insert(PathBuf::from(path));
                    read_text(Path::new(path)).map_err(|error| error.to_string())
                };
                let mut named = BTreeSet::new();
                let mut secrets = Secrets {
                    env: &self.env,
                    read: &mut |path| {
                        named.insert(path.to_owned());
                        read(path)
                    },
                };
                let dangling = secrets.fill(root);
                let mut config = routing::read(root)?;
                secrets::close(&mut config, dangling);
                config
                    .diagnostics
                    .extend(named.iter().filter_map(|path| secrets::open(path)));
                config.read_files(&mut |path| read(path).map(SecretString::from));
                Ok(config)
            }
            [_, second, ..] => Err(vec![Diagnostic {
                position: Some(second.position.clone()),
                ..finding(path, "a second document; put it into a file of its own")
            }]),
        }
    }

    /// One configuration of all files: a name belongs to the first file that has it.
    fn merge(&self, findings: &mut Vec<Diagnostic>) -> RoutingConfig {
        let mut merged = RoutingConfig::default();
        let mut owners = BTreeMap::new();
        for (path, config) in &self.files {
            let mut claim = Claim {
                path,
                owners: &mut owners,
                findings,
            };
            let config = config.clone();
            claim.take("router", config.routers.into_inner(), &mut merged.routers);
            claim.take("service", config.services, &mut merged.services);
            let middlewares = config.middlewares.into_inner();
            claim.take("middleware", middlewares, &mut merged.middlewares);
            claim.take(
                "serversTransport",
                config.servers_transports.into_inner(),
                &mut merged.servers_transports,
            );
            let tls = config.tls.into_inner();
            claim.take("tls option", tls.options, &mut merged.tls.options);
            claim.take("tls store", tls.stores, &mut merged.tls.stores);
            merged.tls.certificates.extend(tls.certificates);
            merged.diagnostics.extend(config.diagnostics);
        }
        merged
    }

    /// Whether everything that was there at the start has been read or removed.
    fn note_unread(&mut self, failed: BTreeSet<PathBuf>) -> bool {
        let unread = match self.unread.take() {
            None => failed,
            Some(unread) => unread.intersection(&failed).cloned().collect(),
        };
        let readable = unread.is_empty();
        self.unread = Some(unread);
        readable
    }
}

/// The claims of one file on names.
struct Claim<'a> {
    path: &'a Path,
    owners: &'a mut BTreeMap<(&'static str, String), PathBuf>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Claim<'_> {
    fn take<T>(
        &mut self,
        kind: &'static str,
        objects: BTreeMap<String, Object<T>>,
        merged: &mut BTreeMap<String, Object<T>>,
    ) {
        for (name, object) in objects {
            let key = (kind, name.clone());
            if let Some(owner) = self.owners.get(&key) {
                let message = format!(
                    "{} has one of this name already, which is used; rename this one",
                    owner.display()
                );
                self.findings.push(Diagnostic {
                    severity: Severity::Warning,
                    object: format!("{kind} {name}"),
                    ..finding(self.path, &message)
                });
                continue;
            }
            self.owners.insert(key, self.path.to_owned());
            merged.insert(name, object);
        }
    }
}

/// Files to read in a folder and those below it. Links to folders are not followed; names that
/// begin with `..` are the bookkeeping of a mounted ConfigMap, those with `.#` of an editor.
fn list(folder: &Path, paths: &mut BTreeSet<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let hidden = name.to_string_lossy();
        if hidden.starts_with("..") || hidden.starts_with(".#") {
            continue;
        }
        let path = folder.join(&name);
        if entry.file_type().map_err(failed)?.is_dir() {
            list(&path, paths)?;
        } else if matches!(extension(&path).as_deref(), Some("toml" | "yaml" | "yml")) {
            paths.insert(path);
        }
    }
    Ok(())
}

fn says_something(config: &RoutingConfig) -> bool {
    *config != RoutingConfig::default()
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_lowercase())
}

fn read_text(path: &Path) -> io::Result<String> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("this is no regular file"));
    }
    if about.len() > MAX_SIZE {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            MAX_SIZE >> 20
        )));
    }
    fs::read_to_string(path)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    finding(path, &format!("cannot be read: {error}"))
}

fn finding(path: &Path, message: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object: String::new(),
        key: String::new(),
        message: message.to_owned(),
        position: Some(Position {
            source: path.display().to_string().into(),
            line: 0,
            column: 0,
        }),
    }
}
