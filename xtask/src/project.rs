//! The files of the project, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// Folders that are made, not written.
const MADE: [&str; 4] = ["target", ".git", "corpus", "artifacts"];

/// One file of text.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The project.
pub(crate) struct Project {
    pub(crate) metadata: Metadata,
    /// In the order of their paths; what is not UTF-8 is left out.
    pub(crate) files: Vec<File>,
    /// Every file's path, binary ones too, and every folder's.
    pub(crate) paths: Vec<String>,
}

impl Project {
    /// The project whose workspace holds the current folder.
    pub(crate) fn here() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .other_options(["--locked".to_owned()])
            .exec()
            .context("the workspace cannot be read")?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let mut project = Self {
            metadata,
            files: Vec::new(),
            paths: Vec::new(),
        };
        project.add(&root, &root)?;
        project.files.sort_by(|a, b| a.path.cmp(&b.path));
        project.paths.sort();
        Ok(project)
    }

    /// Adds a folder with all below it.
    fn add(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if MADE.iter().any(|made| name == *made) {
                continue;
            }
            let from_root = path
                .strip_prefix(root)?
                .to_string_lossy()
                .replace('\\', "/");
            self.paths.push(from_root.clone());
            if path.is_dir() {
                self.add(root, &path)?;
            } else if let Ok(text) = fs::read_to_string(&path) {
                self.files.push(File {
                    path: from_root,
                    text,
                });
            }
        }
        Ok(())
    }

    /// A file by its path from the root.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}
