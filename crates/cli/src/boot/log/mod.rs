//! The log of the process: one for all that runs in it, and the traces beside it. `hydra` is how
//! Hydra writes JSON, `file` where logs are files.

use std::io::{self, Write};
use std::sync::PoisonError;

use carnet_authserver::SPANS;
use opentelemetry_sdk::trace::SdkTracer;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::process::Output;

mod file;
mod hydra;

pub(crate) use file::LogFiles;
pub(crate) use hydra::Lines;

/// How lines of the log look.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line, as Traefik's.
    Json,
    /// JSON with the names of Hydra.
    Hydra(Lines),
}

/// The level of the log, which may change.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogLevel(Option<reload::Handle<EnvFilter, Registry>>);

impl LogLevel {
    /// From now on this level counts; without effect where the log is another one's.
    pub(crate) fn set(&self, level: &str) {
        // The log ends with the process.
        let _ = self.0.as_ref().map(|handle| handle.reload(filter(level)));
    }
}

/// Sends the log to `output`, and spans to the tracer. The first call of a process counts: a
/// container of `up` logs where `up` does.
pub(crate) fn install(
    level: &str,
    format: Format,
    output: Output,
    tracer: Option<SdkTracer>,
) -> LogLevel {
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer()
        .with_writer(Writer(output))
        .with_ansi(false)
        .with_target(false)
        // It would tell of a line that nobody takes on standard error, and panic when that is full.
        .log_internal_errors(false);
    let lines = match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
        Format::Hydra(format) => lines.event_format(format).boxed(),
    };
    let targets = [SPANS, carnet_gateway::SPANS].map(|target| (target, Level::TRACE));
    let traces = tracer.map(|tracer| {
        let targets: Targets = targets.into_iter().collect();
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(targets)
    });
    let log = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces);
    match log.try_init() {
        Ok(()) => LogLevel(Some(handle)),
        Err(_) => {
            tracing::debug!("the log of the process is used");
            LogLevel::default()
        }
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
    // Who audits is told whatever the level is. The client of the Kubernetes API repeats what it
    // reads, which may be secret; the provider says itself what is wrong.
    EnvFilter::new(format!(
        "{level},carnet::audit=info,kube=off,kube_client=off,kube_core=off,kube_runtime=off"
    ))
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
