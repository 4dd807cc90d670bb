//! Files of logs, which are opened again under their names when somebody has moved them away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::process::Output;

/// All files that logs are written to.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFiles(Arc<Mutex<Vec<Arc<Mutex<LogFile>>>>>);

/// A file that is written at its end.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFiles {
    /// Opens a file; its directories are made where they are missing, as Traefik does.
    pub(crate) fn open(&self, path: &str) -> io::Result<Output> {
        let path = PathBuf::from(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        let file = Arc::new(Mutex::new(LogFile {
            file: append(&path)?,
            path,
        }));
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(Arc::clone(&file));
        Ok(file)
    }

    /// Opens all of them again. One that cannot be opened goes on where it is.
    pub(crate) fn reopen(&self) {
        let files = {
            let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            files.clone()
        };
        let mut failures = Vec::new();
        for file in &files {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            match append(&file.path) {
                Ok(new) => file.file = new,
                Err(error) => failures.push((file.path.clone(), error)),
            }
        }
        // No file is locked any more: one of them may be that of this very log.
        for (path, error) in failures {
            tracing::error!(path = %path.display(), %error, "log file cannot be opened again");
        }
        tracing::info!(files = files.len(), "log files were opened again");
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
