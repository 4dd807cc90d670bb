//! The surroundings of the real process: system clock and random bytes, environment, sockets,
//! signals, the log. The one place that takes what everybody else is handed.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::process::Process;

mod clock;
mod dumps;
mod fail_point;
mod listen;
pub(crate) mod log;
mod memory;
mod random;
mod signals;
mod sockets;
mod threads;
mod traces;
mod unix;

pub(crate) use dumps::forbid_dumps;
pub(crate) use listen::{bind, bind_beside, explain};
pub(crate) use signals::{cancel_on_signals, notify_on_hangup, reopen_on_usr1};
pub(crate) use sockets::{receive_sockets, send_sockets};
pub(crate) use threads::Threads;
pub(crate) use traces::{TraceHeaders, Traces};
pub(crate) use unix::bind_unix;

/// The surroundings of a process that was started by a user.
pub(crate) fn process(started: Instant) -> Process {
    Process {
        env: Arc::new(environment()),
        out: Arc::new(Mutex::new(stdout())),
        err: Arc::new(Mutex::new(stderr())),
        is_watched: stderr().is_terminal(),
        logs: log::LogFiles::default(),
        input: Arc::new(Mutex::new(stdin())),
        clock: Arc::new(clock::SystemClock),
        random: Arc::new(random::SystemRandom),
        listen: Arc::new(bind),
        listen_beside: Arc::new(bind_beside),
        resolve: Arc::new(fail_point::resolve),
        memory: memory::limit(),
        shutdown: CancellationToken::new(),
        hostname: gethostname::gethostname().to_string_lossy().into(),
        started,
    }
}

/// Makes aws-lc the crypto library of every TLS connection. The first call counts.
pub(crate) fn install_crypto() {
    let already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    drop(already_installed);
}

/// What was typed. No word of ours has bytes that are no text: such ones end in a complaint.
#[expect(
    clippy::disallowed_methods,
    reason = "arguments are handed on from here"
)]
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}

/// Variables that are no text cannot be meant for us.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is handed on from here"
)]
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
