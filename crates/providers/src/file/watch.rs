//! When the file provider reads again: after each change of what it reads.

use std::path::PathBuf;

use carnet_config::install::providers::FileSource;
use tokio::sync::mpsc;

use super::FileProvider;
use crate::Update;
use crate::watch::Changes;

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
        || sent.is_none_or(|sent| {
            let flags = |update: &Update| (update.readable, update.current);
            sent.config != update.config || flags(sent) != flags(update)
        })
}

fn round(provider: &mut FileProvider) -> (Changes, Update) {
    if !provider.options.watch {
        return (Changes::none(), provider.load());
    }
    let (FileSource::File(name) | FileSource::Directory(name)) = &provider.options.source;
    let known = provider.materials.clone();
    let mut watched = vec![PathBuf::from(name)];
    watched.extend(known.iter().cloned());
    let mut changes = Changes::of(&watched);
    changes.watch_targets(&provider.paths().unwrap_or_default());
    let blind = changes.blind().cloned();
    let update = provider.load_with(blind.into_iter().collect());
    if provider.materials != known {
        // A certificate that is named for the first time was read before it was watched.
        changes.look_again();
    }
    (changes, update)
}
