//! SIGINT and SIGTERM end the process in order; a second one at once. SIGHUP reloads, SIGUSR1 opens
//! log files again.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::log::LogFiles;

/// The exit code of a process that was told twice to end.
const IMPATIENT: i32 = 130;

/// Cancels the token at the first signal. The task lives as long as the process.
pub(crate) fn cancel_on_signals(shutdown: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return tracing::warn!("signals cannot be received, the process will not end in order");
    };
    tokio::spawn(async move {
        next(&mut interrupt, &mut terminate).await;
        shutdown.cancel();
        next(&mut interrupt, &mut terminate).await;
        std::process::exit(IMPATIENT);
    });
}

/// Tells whoever waits at each SIGHUP. Ends when it is aborted.
pub(crate) fn notify_on_hangup(waiting: Arc<Notify>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Ok(mut hangup) = signal(SignalKind::hangup()) else {
            return tracing::warn!("SIGHUP cannot be received, so it reloads nothing");
        };
        while hangup.recv().await.is_some() {
            waiting.notify_one();
        }
    })
}

/// Opens the files of logs again at each SIGUSR1. The task lives as long as the process.
pub(crate) fn reopen_on_usr1(logs: LogFiles) {
    let Ok(mut usr1) = signal(SignalKind::user_defined1()) else {
        return tracing::warn!("SIGUSR1 cannot be received, so it opens no log files again");
    };
    tokio::spawn(async move {
        while usr1.recv().await.is_some() {
            logs.reopen();
        }
    });
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
