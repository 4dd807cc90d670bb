//! When to read again: [`Changes`] of the folders in which files and the targets of their links
//! lie, once things are quiet.
//!
//! Folders are watched, not files, so that an atomic rename, a swap of links as in a mounted
//! ConfigMap and an editor's way of saving are all seen. Watch before you read: whatever changes
//! later is told, and nothing is missed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carnet_config::diagnostics::{Diagnostic, Position, Severity};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

/// Quiet time after a change that leaves a file complete.
const QUIET: Duration = Duration::from_millis(30);
/// Quiet time while somebody still writes.
const WRITING: Duration = Duration::from_millis(300);
/// Longest wait under changes that never end.
const LONGEST: Duration = Duration::from_millis(700);
/// How often to look where nothing can be watched.
const LOOK: Duration = Duration::from_millis(500);
/// Longest chain of links, as the kernel's.
const MAX_LINKS: usize = 40;

/// What a change says about the file it is about.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// It is being written.
    Writing,
    /// It is whole: closed, renamed, linked or removed.
    Whole,
}

/// Something that happened in a watched folder.
#[derive(Debug)]
struct Event {
    change: Change,
    /// To whom; empty where that was lost.
    paths: Vec<PathBuf>,
}

/// Watched folders, and what happens there.
#[derive(Debug)]
pub struct Changes {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// What the folders are watched for: files, directories with all in them, targets of links.
    wanted: BTreeSet<PathBuf>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Changes that were seen, and have not been told yet.
    unrest: Option<Unrest>,
    /// Why some folder cannot be watched; files are then looked at from time to time.
    blind: Option<Diagnostic>,
}

/// Until when to wait for quiet.
#[derive(Debug)]
struct Unrest {
    quiet_at: Instant,
    deadline: Instant,
}

impl Changes {
    /// Watches files and directories, directories with those below them.
    pub fn of(paths: &[PathBuf]) -> Self {
        let mut changes = Self::new();
        for path in paths.iter().filter(|path| path.is_dir()) {
            changes.watch(path, RecursiveMode::Recursive);
        }
        for path in paths {
            // It may be replaced as a whole.
            changes.watch(folder(path), RecursiveMode::NonRecursive);
            changes.want(path);
        }
        changes.watch_targets(paths);
        changes
    }

    /// Watches nothing.
    pub(crate) fn none() -> Self {
        Self::new()
    }

    /// Watches where the links of files lead, too.
    pub(crate) fn watch_targets<'a>(&mut self, paths: impl IntoIterator<Item = &'a PathBuf>) {
        for target in paths.into_iter().flat_map(|path| link_targets(path)) {
            self.watch(folder(&target), RecursiveMode::NonRecursive);
            self.want(&target);
        }
    }

    /// Why some folder cannot be watched; it is then looked at from time to time.
    pub fn blind(&self) -> Option<&Diagnostic> {
        self.blind.as_ref()
    }

    /// Settles soon, as after a change.
    pub(crate) fn look_again(&mut self) {
        let now = Instant::now();
        self.unrest = Some(Unrest {
            quiet_at: now + QUIET,
            deadline: now + LONGEST,
        });
    }

    fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let handler = move |event: notify::Result<notify::Event>| {
            let (change, paths) = match event {
                Ok(event) => (change(event.kind), event.paths),
                // Events were lost: something has changed.
                Err(_) => (Some(Change::Whole), Vec::new()),
            };
            if let Some(change) = change {
                // Nobody listens between two rounds' ends; the next round reads anyway.
                let _ = sender.send(Event { change, paths });
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut changes = Self {
            watcher: None,
            watched: BTreeSet::new(),
            wanted: BTreeSet::new(),
            events,
            unrest: None,
            blind: None,
        };
        match RecommendedWatcher::new(handler, config) {
            Ok(watcher) => changes.watcher = Some(watcher),
            Err(error) => changes.note(Path::new("."), &error),
        }
        changes
    }

    fn watch(&mut self, folder: &Path, mode: RecursiveMode) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        // Watching a folder again would forget those below it.
        if !self.watched.insert(folder.to_owned()) {
            return;
        }
        if let Err(error) = watcher.watch(folder, mode) {
            self.note(folder, &error);
        }
    }

    /// Events name absolute paths.
    fn want(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.wanted.insert(path);
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

    /// Waits for a change and then for quiet; for ever where nothing is watched. Who drops this
    /// while it waits and calls it again misses nothing.
    pub async fn settled(&mut self) {
        if self.unrest.is_none() {
            let Some(change) = self.first().await else {
                return;
            };
            let now = Instant::now();
            self.unrest = Some(Unrest {
                quiet_at: now + change.quiet(),
                deadline: now + LONGEST,
            });
        }
        while let Some(unrest) = &self.unrest {
            let until = unrest.deadline.min(unrest.quiet_at);
            match (timeout_at(until, self.next()).await, &mut self.unrest) {
                (Ok(Some(change)), Some(unrest)) => {
                    unrest.quiet_at = Instant::now() + change.quiet();
                }
                _ => self.unrest = None,
            }
        }
    }

    /// The first change; `None` when it is time to look without one.
    async fn first(&mut self) -> Option<Change> {
        if self.blind.is_some() {
            sleep(LOOK).await;
            return None;
        }
        match self.next().await {
            Some(change) => Some(change),
            // Nothing is watched, as configured.
            None => std::future::pending().await,
        }
    }

    /// The next change of what is wanted. A log that grows beside it is none.
    async fn next(&mut self) -> Option<Change> {
        loop {
            let Event { change, paths } = self.events.recv().await?;
            if paths.is_empty() || paths.iter().any(|path| self.concerns(path)) {
                return Some(change);
            }
        }
    }

    /// Whether it is wanted, or may lead there: a link, a folder, or what is no more.
    fn concerns(&self, path: &Path) -> bool {
        let is_file = || fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        self.wanted.iter().any(|wanted| path.starts_with(wanted)) || !is_file()
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

/// The folder of a path.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Where the links of a path lead, step by step.
fn link_targets(path: &Path) -> BTreeSet<PathBuf> {
    let mut targets = BTreeSet::new();
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = folder(&path).join(target);
        targets.insert(path.clone());
    }
    targets
}
