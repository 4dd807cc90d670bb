//! `providers`: where routes come from.

use std::time::Duration;

/// `providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Providers {
    /// `file`.
    pub file: Option<FileProvider>,
    /// `providersThrottleDuration`. Traefik's default is 2 s; ours publishes once things are quiet
    /// and takes this as the longest wait.
    pub throttle: Duration,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            file: None,
            throttle: Duration::from_secs(2),
        }
    }
}

/// `providers.file`: exactly one of `filename` and `directory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProvider {
    /// What is read.
    pub source: FileSource,
    /// `watch`: edits are live. Default true.
    pub watch: bool,
}

/// What the file provider reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// `filename`.
    File(String),
    /// `directory`, with those below it; files that end in `.yaml`, `.yml` or `.toml`.
    Directory(String),
}
