//! The access log: one line a request, written last, also when the client left before its answer.
//! Knows what stations noted; refuses to know what they did. `line.rs` gathers, `fields.rs` names
//! what is gathered, `format.rs` writes it. Credentials are never written, whatever is configured.

use std::sync::{Arc, Mutex, PoisonError};

use carnet_config::install::observability::FieldMode;
use carnet_config::install::{self, AccessLogFormat};

use crate::gateway::Output;
use crate::metrics::Metrics;
use crate::seldom::Seldom;

mod fields;
mod format;
mod line;

use fields::Ended;
use format::Stamp;
pub(crate) use line::Line;

/// The log of a gateway. Clones write to the same place.
#[derive(Clone)]
pub(crate) struct AccessLog(Arc<Inner>);

struct Inner {
    options: install::AccessLog,
    output: Output,
    stamp: Stamp,
    metrics: Option<Arc<Metrics>>,
    trouble: Seldom,
    pending: Mutex<Pending>,
}

/// Lines that are not written yet.
#[derive(Default)]
struct Pending {
    text: Vec<u8>,
    lines: usize,
}

impl AccessLog {
    pub(crate) fn new(
        options: &install::AccessLog,
        output: Output,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        Self(Arc::new(Inner {
            options: options.clone(),
            output,
            stamp: Stamp::default(),
            metrics,
            trouble: Seldom::default(),
            pending: Mutex::default(),
        }))
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&self) {
        let mut pending = self
            .0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.0.write(&mut pending);
    }

    /// Whether any header is written.
    fn writes_headers(&self) -> bool {
        let fields = &self.options().fields;
        fields.headers_default_mode != FieldMode::Drop || !fields.headers_names.is_empty()
    }

    fn options(&self) -> &install::AccessLog {
        &self.0.options
    }

    /// Writes the line of a request, unless the filters leave it out.
    fn finish(&self, line: &Line) {
        if !line.passes(&self.options().filters) {
            return;
        }
        let ended = Ended::now(line);
        let write = match self.options().format {
            AccessLogFormat::Common => format::common,
            AccessLogFormat::GenericClf => format::generic,
            AccessLogFormat::Json => format::json,
        };
        let text = write(&ended, &self.options().fields, &self.0.stamp);
        let mut pending = self
            .0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pending.text.extend_from_slice(text.as_bytes());
        pending.lines += 1;
        if pending.lines > self.options().buffering_size {
            self.0.write(&mut pending);
        }
    }
}

impl Inner {
    fn write(&self, pending: &mut Pending) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let written = output
            .write_all(&pending.text)
            .and_then(|()| output.flush());
        if let Err(error) = written {
            self.trouble.tell(|untold| {
                tracing::error!(%error, untold, "access log cannot be written; its lines are lost");
            });
            if let Some(metrics) = &self.metrics {
                metrics.lost_lines(pending.lines);
            }
        }
        pending.text.clear();
        pending.lines = 0;
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AccessLog").field(&self.0.options).finish()
    }
}
