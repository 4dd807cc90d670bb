//! When to read again: changes of the folders in which the files and the targets of their links
//! lie, once things are quiet.
//!
//! Folders are watched, not files, so that an atomic rename, a swap of links as in a mounted
//! ConfigMap and an editor's way of saving are all seen. Each round watches before it reads:
//! whatever changes later starts another round, and nothing is missed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carnet_config::diagnostics::{Diagnostic, Position, Severity};
use carnet_config::install::providers::FileSource;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::FileProvider;
use crate::Update;

/// Quiet time after a change that leaves a file complete.
const QUIET: Duration = Duration::from_millis(60);
/// Quiet time while somebody still writes.
const WRITING: Duration = Duration::from_millis(300);
/// Longest wait under changes that never end.
const LONGEST: Duration = Duration::from_millis(700);
/// How often to look where nothing can be watched.
const LOOK: Duration = Duration::from_millis(500);
/// Longest chain of links, as the kernel's.
const MAX_LINKS: usize = 40;

/// Reads and sends for ever.
pub(super) async fn follow(mut provider: FileProvider, sender: mpsc::Sender<Update>) {
    let reload = provider.reload();
    let mut sent: Option<Update> = None;
    loop {
        let round = tokio::task::spawn_blocking(move || {
            let (changes, update) = round(&mut provider);
            (provider, changes, update)
        });
        let Ok((returned, mut changes, update)) = round.await else {
            tracing::error!("reading configuration files failed; files are not watched any more");
            return;
        };
        provider = returned;
        if is_news(sent.as_ref(), &update) {
            if sender.send(update.clone()).await.is_err() {
                return;
            }
            sent = Some(update);
        }
        tokio::select! {
            () = changes.settled() => {}
            () = reload.notified() => {}
        }
    }
}

fn is_news(sent: Option<&Update>, update: &Update) -> bool {
    !update.diagnostics.is_empty()
        || sent.is_none_or(|sent| sent.config != update.config || sent.readable != update.readable)
}

fn round(provider: &mut FileProvider) -> (Changes, Update) {
    let mut changes = Changes::new();
    let mut findings = Vec::new();
    if provider.options.watch {
        changes.watch_sources(provider);
        findings.extend(changes.blind.clone());
    }
    (changes, provider.load_with(findings))
}

/// What a change says about the file it is about.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// It is being written.
    Writing,
    /// It is whole: closed, renamed, linked or removed.
    Whole,
}

/// Watched folders, and what happens there.
struct Changes {
    watcher: Option<RecommendedWatcher>,
    events: mpsc::UnboundedReceiver<Change>,
    /// Why some folder cannot be watched; files are then looked at from time to time.
    blind: Option<Diagnostic>,
}

impl Changes {
    fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let handler = move |event: notify::Result<notify::Event>| {
            let change = match event {
                Ok(event) => change(event.kind),
                // Events were lost: something has changed.
                Err(_) => Some(Change::Whole),
            };
            if let Some(change) = change {
                // Nobody listens between two rounds' ends; the next round reads anyway.
                let _ = sender.send(change);
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut changes = Self {
            watcher: None,
            events,
            blind: None,
        };
        match RecommendedWatcher::new(handler, config) {
            Ok(watcher) => changes.watcher = Some(watcher),
            Err(error) => changes.note(Path::new("."), &error),
        }
        changes
    }

    fn watch_sources(&mut self, provider: &FileProvider) {
        match &provider.options.source {
            FileSource::File(name) => {
                self.watch(folder(Path::new(name)), RecursiveMode::NonRecursive)
            }
            FileSource::Directory(name) => {
                self.watch(Path::new(name), RecursiveMode::Recursive);
                // The folder itself may be replaced.
                self.watch(folder(Path::new(name)), RecursiveMode::NonRecursive);
            }
        }
        let paths = provider.paths().unwrap_or_default();
        let targets: BTreeSet<PathBuf> = paths.iter().flat_map(|path| link_folders(path)).collect();
        for target in targets {
            // Watching a folder again would forget those below it.
            if !is_source(&target, &provider.options.source) {
                self.watch(&target, RecursiveMode::NonRecursive);
            }
        }
    }

    fn watch(&mut self, folder: &Path, mode: RecursiveMode) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        if let Err(error) = watcher.watch(folder, mode) {
            self.note(folder, &error);
        }
    }

    fn note(&mut self, folder: &Path, error: &notify::Error) {
        let message = format!(
            "cannot be watched ({error}); it is looked at every {} ms instead",
            LOOK.as_millis()
        );
        self.blind = Some(Diagnostic {
            severity: Severity::Warning,
            object: String::new(),
            key: String::new(),
            message,
            position: Some(Position {
                source: folder.display().to_string().into(),
                line: 0,
                column: 0,
            }),
        });
    }

    /// Waits for a change and then for quiet.
    async fn settled(&mut self) {
        let Some(first) = self.first().await else {
            return;
        };
        let deadline = Instant::now() + LONGEST;
        let mut quiet = first;
        loop {
            let until = deadline.min(Instant::now() + quiet.quiet());
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(change)) => quiet = change,
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// The first change; `None` when it is time to look without one.
    async fn first(&mut self) -> Option<Change> {
        if self.blind.is_some() {
            sleep(LOOK).await;
            return None;
        }
        match self.events.recv().await {
            Some(change) => Some(change),
            // Nothing is watched, as configured.
            None => std::future::pending().await,
        }
    }
}

impl Change {
    fn quiet(self) -> Duration {
        match self {
            Self::Writing => WRITING,
            Self::Whole => QUIET,
        }
    }
}

/// What an event means; reading changes nothing.
fn change(kind: EventKind) -> Option<Change> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Change::Whole),
        EventKind::Access(_) => None,
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Some(Change::Writing),
        _ => Some(Change::Whole),
    }
}

fn is_source(folder: &Path, source: &FileSource) -> bool {
    matches!(source, FileSource::Directory(name) if folder == Path::new(name))
}

/// The folder of a path.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Folders in which the targets of a path's links lie.
fn link_folders(path: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = folder(&path).join(target);
        folders.insert(folder(&path).to_owned());
    }
    folders
}
