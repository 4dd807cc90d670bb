//! `-f FILE_OR_DIR...`: the texts that `up` runs, in the order that decides who wins.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The endings of manifests in a directory.
const ENDINGS: [&str; 3] = ["json", "yaml", "yml"];

/// A text and the name its findings are told with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The path as the user wrote it, or `-`.
    pub(crate) source: String,
    /// What it holds.
    pub(crate) text: String,
}

/// What the user named with `-f`.
#[derive(Debug)]
pub(super) struct Sources {
    paths: Vec<PathBuf>,
    standard_input: Option<Manifest>,
}

impl Sources {
    /// Takes the arguments of `-f`; `-` is read here, once.
    pub(super) fn new(arguments: &[PathBuf], input: &mut dyn Read) -> Result<Self, String> {
        let mut standard_input = None;
        let mut paths = Vec::new();
        for argument in arguments {
            if argument.as_os_str() == "-" {
                let mut text = String::new();
                input.read_to_string(&mut text).map_err(|error| {
                    format!("standard input cannot be read: {error}; pipe the manifests into it")
                })?;
                standard_input = Some(Manifest {
                    source: "-".to_owned(),
                    text,
                });
            } else {
                paths.push(argument.clone());
            }
        }
        Ok(Self {
            paths,
            standard_input,
        })
    }

    /// The files and directories to watch.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Reads everything anew: files in the order of the arguments, directories by name. Standard
    /// input comes last.
    pub(super) fn read(&self) -> Result<Vec<Manifest>, String> {
        let mut manifests = Vec::new();
        for path in &self.paths {
            for file in files(path)? {
                let text = fs::read_to_string(&file).map_err(|error| explain(&file, &error))?;
                manifests.push(Manifest {
                    source: file.display().to_string(),
                    text,
                });
            }
        }
        manifests.extend(self.standard_input.clone());
        Ok(manifests)
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| explain(path, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| is_manifest(file))
        .collect();
    files.sort();
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending)) && path.is_file()
}

fn explain(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{path} does not exist; give the manifests' file or directory with -f")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{path} cannot be read: this user may not; change its permissions")
        }
        _ => format!("{path} cannot be read: {error}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_the_arguments_and_directories_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.yaml", "a.yml", "c.txt", "d.json"] {
            fs::write(path(name), name).unwrap();
        }
        let arguments = [PathBuf::from("-"), path("c.txt"), folder.path().to_owned()];
        let sources = Sources::new(&arguments, &mut "typed".as_bytes()).unwrap();
        let texts: Vec<String> = sources
            .read()
            .unwrap()
            .into_iter()
            .map(|manifest| manifest.text)
            .collect();
        assert_eq!(texts, ["c.txt", "a.yml", "b.yaml", "d.json", "typed"]);
    }

    #[test]
    fn a_missing_file_is_one_sentence_that_says_what_to_do() {
        let arguments = [PathBuf::from("/nowhere/at-all.yaml")];
        let sources = Sources::new(&arguments, &mut io::empty()).unwrap();
        let error = sources.read().unwrap_err();
        assert!(error.contains("does not exist"), "{error}");
    }
}
