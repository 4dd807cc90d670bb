//! SIGINT and SIGTERM end the process in order; a second one at once.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
