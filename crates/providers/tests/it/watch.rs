use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use carnet_config::install::providers::FileSource;
use carnet_providers::Update;
use carnet_providers::file::FileProvider;
use carnet_providers::watch::Changes;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::file::{certificate, certificates, provider, provider_of, router, rules};

/// Far more than any change takes; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// A provider that runs.
struct Running {
    updates: mpsc::Receiver<Update>,
    _shutdown: DropGuard,
}

impl Running {
    fn start(provider: FileProvider) -> Self {
        let (sender, updates) = mpsc::channel(8);
        let shutdown = CancellationToken::new();
        tokio::spawn(provider.run(sender, shutdown.clone()));
        Self {
            updates,
            _shutdown: shutdown.drop_guard(),
        }
    }

    /// Waits until the routers are these.
    async fn until(&mut self, expected: &[(&str, &str)]) {
        let expected = BTreeMap::from_iter(expected.iter().copied());
        let arrived = tokio::time::timeout(PATIENCE, async {
            loop {
                let update = self.updates.recv().await.unwrap();
                if rules(&update) == expected {
                    return;
                }
            }
        });
        arrived.await.unwrap();
    }
}

const A: (&str, &str) = ("a", "Host(`a.test`)");
const B: (&str, &str) = ("b", "Host(`b.test`)");

/// As careful programs save: a new file, renamed over the old one.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, file).unwrap();
}

#[tokio::test]
async fn every_way_of_saving_a_file_is_seen() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, router("a", "a.test")).unwrap();
    let mut running = Running::start(provider_of(folder.path()));
    running.until(&[A]).await;

    replace(&file, &router("b", "b.test"));
    running.until(&[B]).await;

    // Written in place, in pieces.
    let mut open = fs::File::create(&file).unwrap();
    for line in router("a", "a.test").lines() {
        writeln!(open, "{line}").unwrap();
    }
    drop(open);
    running.until(&[A]).await;

    // Moved away first, as vi does.
    fs::rename(&file, folder.path().join("a.yaml~")).unwrap();
    fs::write(&file, router("b", "b.test")).unwrap();
    running.until(&[B]).await;

    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("a.yaml"), router("a", "a.test")).unwrap();
    running.until(&[A, B]).await;

    fs::remove_file(&file).unwrap();
    running.until(&[A]).await;

    fs::remove_dir_all(folder.path()).unwrap();
    fs::create_dir(folder.path()).unwrap();
    fs::write(&file, router("b", "b.test")).unwrap();
    running.until(&[B]).await;
}

#[tokio::test]
async fn a_mounted_config_map_is_swapped_as_a_whole() {
    let folder = TempDir::new().unwrap();
    let version = |name: &str, text: &str| {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("a.yaml"), text).unwrap();
        symlink(name, folder.path().join("..data_tmp")).unwrap();
        fs::rename(
            folder.path().join("..data_tmp"),
            folder.path().join("..data"),
        )
        .unwrap();
    };
    version("..2026_1", &router("a", "a.test"));
    symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
    let file = folder.path().join("a.yaml").display().to_string();
    let mut directory = Running::start(provider_of(folder.path()));
    let mut single = Running::start(provider(FileSource::File(file)));
    directory.until(&[A]).await;
    single.until(&[A]).await;

    version("..2026_2", &router("b", "b.test"));
    fs::remove_dir_all(folder.path().join("..2026_1")).unwrap();
    directory.until(&[B]).await;
    single.until(&[B]).await;
}

#[tokio::test]
async fn the_target_of_a_link_is_watched_where_it_lies() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let target = elsewhere.path().join("target.yaml");
    fs::write(&target, router("a", "a.test")).unwrap();
    symlink(&target, folder.path().join("a.yaml")).unwrap();
    let mut running = Running::start(provider_of(folder.path()));
    running.until(&[A]).await;
    replace(&target, &router("b", "b.test"));
    running.until(&[B]).await;
}

#[tokio::test]
async fn a_folder_that_appears_later_is_found() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("not/yet");
    let mut running = Running::start(provider_of(&folder));
    running.until(&[]).await;
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.yaml"), router("a", "a.test")).unwrap();
    running.until(&[A]).await;
}

#[tokio::test]
async fn without_watch_only_a_reload_reads_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, router("a", "a.test")).unwrap();
    let options = carnet_config::install::FileProvider {
        source: FileSource::Directory(folder.path().display().to_string()),
        watch: false,
    };
    let provider = FileProvider::new(options, Default::default());
    let reload = provider.reload();
    let mut running = Running::start(provider);
    running.until(&[A]).await;
    replace(&file, &router("b", "b.test"));
    reload.notify_one();
    running.until(&[B]).await;
}

/// `up` waits for files and for its containers at once, and drops whichever wait comes second.
#[tokio::test]
async fn a_change_is_not_lost_when_the_wait_for_it_is_dropped_and_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut changes = Changes::of(&[folder.path().to_owned()]);
    fs::write(folder.path().join("a.yaml"), "a: 1").unwrap();
    let told = async {
        // Shorter than the quiet that a change waits for.
        while timeout(Duration::from_millis(10), changes.settled())
            .await
            .is_err()
        {}
    };
    timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_log_that_grows_beside_a_file_is_no_change_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["access.log", "routes.yaml"] {
        fs::write(path(name), "").unwrap();
    }
    let mut of_routes = Changes::of(&[path("routes.yaml")]);
    let mut of_log = Changes::of(&[path("access.log")]);
    fs::write(path("access.log"), "a line").unwrap();
    of_log.settled().await;
    let told = timeout(PATIENCE, of_routes.settled());
    assert!(told.await.is_err());
    replace(&path("routes.yaml"), "http: {}");
    of_routes.settled().await;
}

// Holds OP-07.
#[tokio::test]
async fn a_renewed_certificate_is_read_again_wherever_it_lies() {
    let (routes, keys) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (name, text) in [("a.crt", "old"), ("a.key", "key")] {
        fs::write(keys.path().join(name), text).unwrap();
    }
    fs::write(routes.path().join("a.yaml"), certificate(keys.path())).unwrap();
    let mut running = Running::start(provider_of(routes.path()));
    for text in ["old", "new", "newer"] {
        replace(&keys.path().join("a.crt"), text);
        let shown = async {
            loop {
                let update = running.updates.recv().await.unwrap();
                if certificates(&update) == [(text, "key")] {
                    return;
                }
            }
        };
        timeout(PATIENCE, shown).await.unwrap();
    }
}
