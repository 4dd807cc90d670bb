//! Hears everything that is traced, at the finest level.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// All that is traced, as text.
#[derive(Clone, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Ear {
    /// Hears what this thread says, for as long as the guards are there.
    pub(crate) fn listening() -> (Self, (Dispatch, DefaultGuard)) {
        let ear = Self::default();
        // With one subscriber alone, `tracing` asks that of the thread on which an event is met first
        // whether anybody cares, which may be a test that has none.
        let another = Dispatch::new(Self::default());
        let guard = tracing::subscriber::set_default(ear.clone());
        (ear, (another, guard))
    }

    /// All that was said.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }

    fn hear(&self, record: impl FnOnce(&mut Words<'_>)) {
        let mut heard = self.heard.lock().unwrap();
        record(&mut Words(&mut heard));
        heard.push('\n');
    }
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(|words| span.record(words));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.hear(|words| values.record(words));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.hear(|words| event.record(words));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
