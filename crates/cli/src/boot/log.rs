//! The log of the process: one for all that runs in it.

use std::io::{self, Write};
use std::sync::PoisonError;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::process::Output;

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends the log to `output`. The first call of a process counts: a container of `up` logs where
/// `up` does.
pub(crate) fn install(level: &str, format: Format, output: Output) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(Writer(output))
        .with_ansi(false)
        .with_target(false)
        // It would tell of a line that nobody takes on standard error, and panic when that is full.
        .log_internal_errors(false);
    let already_installed = match format {
        Format::Text => subscriber.finish().try_init().is_err(),
        Format::Json => subscriber
            .json()
            .flatten_event(true)
            .finish()
            .try_init()
            .is_err(),
    };
    if already_installed {
        tracing::debug!("the log of the process is used");
    }
}

/// Levels of Traefik and Hydra, whatever their case; unknown ones mean `info`.
fn filter(level: &str) -> EnvFilter {
    let level = match level.to_ascii_lowercase().as_str() {
        "fatal" | "panic" | "error" => "error",
        "warn" | "warning" => "warn",
        "debug" => "carnet=debug,info",
        "trace" => "carnet=trace,debug",
        _ => "info",
    };
    // Who audits is told whatever the level is.
    EnvFilter::new(format!("{level},carnet::audit=info"))
}

/// An [`Output`] as a writer of lines.
#[derive(Clone)]
struct Writer(Output);

impl Write for Writer {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(buffer)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
