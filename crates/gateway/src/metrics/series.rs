//! The counts of one entry point, router or service.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::cell::{Cell, Cells, Counter};
use super::kind::Kind;
use super::locked;
use crate::tls::TlsSession;

/// So many values of `headerLabels` have a line of their own; those after them share one.
const NAMED: usize = 100;
/// What stands for the others.
const OTHER: &str = "other";

/// Version and cipher suite of TLS.
pub(super) type Suite = (&'static str, String);

/// The counts.
#[derive(Debug)]
pub(crate) struct Series {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) kinds: Cells<Kind, Cell>,
    pub(super) suites: Cells<Suite, Counter>,
    pub(super) retries: Counter,
    /// Ends of buckets but the last, which has none.
    pub(super) ends: Vec<Duration>,
    named: Mutex<BTreeSet<Arc<[String]>>>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) elapsed: Duration,
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
    pub(super) session: Option<&'a TlsSession>,
}

impl Series {
    pub(super) fn new(labels: &[(&'static str, &str)], ends: &[f64]) -> Self {
        let labels = labels.iter();
        Self {
            labels: labels
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            kinds: Cells::default(),
            suites: Cells::default(),
            retries: Counter::default(),
            ends: ends.iter().copied().map(Duration::from_secs_f64).collect(),
            named: Mutex::default(),
        }
    }

    /// Counts a request that is over.
    pub(super) fn count(&self, kind: &Kind, outcome: Outcome<'_>) {
        let folded;
        let kind = match &kind.headers {
            Some(values) => {
                folded = Kind {
                    headers: Some(self.few(values)),
                    ..kind.clone()
                };
                &folded
            }
            None => kind,
        };
        let Outcome {
            elapsed,
            request_bytes,
            response_bytes,
            session,
        } = outcome;
        let bucket = self.ends.iter().position(|end| elapsed <= *end);
        let bucket = bucket.unwrap_or(self.ends.len());
        self.kinds.with(
            |known| known.cmp(kind),
            || (kind.clone(), Cell::new(self.ends.len() + 1)),
            |cell| cell.add(bucket, elapsed, request_bytes, response_bytes),
        );
        if let Some(session) = session {
            let suite = (session.version(), session.cipher());
            self.suites.with(
                |(version, cipher)| (*version, cipher.as_str()).cmp(&suite),
                || ((suite.0, suite.1.to_owned()), Counter::default()),
                |counter| counter.add(1),
            );
        }
    }

    /// Counts attempts after the first.
    pub(super) fn retried(&self, attempts: u32) {
        self.retries.add(attempts.into());
    }

    /// These values while they are among the first, else what stands for all others.
    fn few(&self, values: &Arc<[String]>) -> Arc<[String]> {
        let mut named = locked(&self.named);
        if named.len() < NAMED || named.contains(values) {
            named.insert(Arc::clone(values));
            return Arc::clone(values);
        }
        values.iter().map(|_| OTHER.to_owned()).collect()
    }
}
