//! The file provider: one file or a directory of them, YAML and TOML, with Go templates.
//!
//! What cannot be read keeps what was last read from it. Knows nothing of what the objects mean.
//! `load` reads, `watch` says when to read again, `template` runs first over every text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use carnet_config::diagnostics::Diagnostic;
use carnet_config::install;
use carnet_config::routing::RoutingConfig;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Update;

mod functions;
mod load;
mod secrets;
mod template;
mod watch;

/// Name of the provider, the suffix of its objects.
pub const NAME: &str = "file";

/// Reads files, remembering the last good content of each.
pub struct FileProvider {
    options: install::FileProvider,
    env: Arc<BTreeMap<String, String>>,
    /// Last good content of each file, by path: the order in which names are claimed.
    files: BTreeMap<PathBuf, RoutingConfig>,
    /// Certificates, keys and secrets that the files named at any time.
    materials: BTreeSet<PathBuf>,
    /// What could not be read at the start and was neither read nor removed since; `None` before
    /// the first load.
    unread: Option<BTreeSet<PathBuf>>,
    /// Findings that stand, so that each is said once.
    standing: Vec<Diagnostic>,
    reload: Arc<Notify>,
}

impl FileProvider {
    /// A provider that has read nothing yet. Templates see `env`.
    pub fn new(options: install::FileProvider, env: Arc<BTreeMap<String, String>>) -> Self {
        Self {
            options,
            env,
            files: BTreeMap::new(),
            materials: BTreeSet::new(),
            unread: None,
            standing: Vec::new(),
            reload: Arc::new(Notify::new()),
        }
    }

    /// Wakes [`Self::run`] to read everything again: SIGHUP.
    pub fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }

    /// Reads everything now. Blocks on the file system.
    pub fn load(&mut self) -> Update {
        self.load_with(Vec::new())
    }

    /// Reads everything, then again after each change, and sends what is new; ends when
    /// `shutdown` is cancelled or nobody receives.
    pub async fn run(self, sender: mpsc::Sender<Update>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = watch::follow(self, sender) => {}
        }
    }
}
