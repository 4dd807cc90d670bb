//! The access log: one line a request, written last, also when the client left before its answer.
//! Knows what stations noted; refuses to know what they did. `line.rs` gathers, `fields.rs` names
//! what is gathered, `format.rs` makes text of it, `writer.rs` writes that. Credentials are never
//! written, whatever is configured.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::install;
use carnet_config::install::observability::FieldMode;

use crate::gateway::Output;
use crate::metrics::Metrics;
use crate::middleware::Record;

mod fields;
mod format;
mod line;
mod writer;

use fields::{Ended, Shown};
use format::Format;
pub(crate) use line::{Line, Watchers};
use writer::Writer;

/// How long a line waits at most.
const FLUSH: Duration = Duration::from_secs(1);

/// The log of a gateway. Clones write to the same place.
#[derive(Clone)]
pub(crate) struct AccessLog(Arc<Inner>);

struct Inner {
    options: install::AccessLog,
    format: Format,
    writer: Writer,
}

impl AccessLog {
    pub(crate) fn new(
        options: &install::AccessLog,
        output: Output,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        Self(Arc::new(Inner {
            options: options.clone(),
            format: Format {
                format: options.format,
                shown: Shown::new(&options.fields),
            },
            writer: Writer::new(output, options.buffering_size, metrics),
        }))
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&self) {
        self.0.writer.flush();
    }

    /// Writes the lines that wait, now and then, where lines wait at all. Never ends.
    pub(crate) async fn keep_flushing(&self) {
        if !self.0.writer.is_patient() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(FLUSH).await;
            self.flush();
        }
    }

    /// Whether any header is written.
    fn writes_headers(&self) -> bool {
        let fields = &self.options().fields;
        fields.headers_default_mode != FieldMode::Drop || !fields.headers_names.is_empty()
    }

    fn options(&self) -> &install::AccessLog {
        &self.0.options
    }

    /// Writes the line of a request, which took so long, unless the filters leave it out.
    fn finish(&self, line: &Line, record: &Record, total: Duration) {
        if !line.passes(&self.options().filters, record, total) {
            return;
        }
        let ended = Ended::new(line, record, total);
        self.0
            .writer
            .add(|text, stamp| self.0.format.write(text, &ended, stamp));
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AccessLog").field(&self.0.options).finish()
    }
}
