//! What is counted, as Prometheus reads it, under Traefik's names. Knows series and how requests end;
//! refuses to know what stations do. `tally.rs` follows one request, `series.rs` holds the counts of
//! one entry point, router or service, `cell.rs` those of one kind of request, `text.rs` writes all.
//! Counting locks nothing and shares no cache line between threads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use carnet_config::diagnostics::Severity;
use carnet_config::install;
use carnet_config::install::metrics::Prometheus;

mod cell;
mod kind;
mod series;
mod tally;
mod text;
mod tokens;

use cell::{Cells, Counter};
pub(crate) use series::Series;
pub(crate) use tally::{Counts, End, Tally};
pub(crate) use text::{CONTENT_TYPE, write};

use crate::error::Reason;
use crate::snapshot::Snapshot;
use crate::tls::{CertificateFacts, Issued};

/// The counts of a gateway.
pub(crate) struct Metrics {
    options: Prometheus,
    add_internals: bool,
    entry_points: Mutex<BTreeMap<String, EntryPoint>>,
    /// By name and service. What nobody serves any more is gone at the next look.
    routers: Mutex<BTreeMap<(String, String), Weak<Series>>>,
    services: Mutex<BTreeMap<String, Weak<Series>>>,
    /// Those of the configuration.
    certificates: Mutex<Vec<CertificateFacts>>,
    /// Those of certificate resolvers.
    issued: Arc<Issued>,
    reloads: AtomicU64,
    /// Seconds since 1970; zero: never.
    last_reload: AtomicU64,
    config_errors: AtomicU64,
    config_is_current: AtomicBool,
    faults: Cells<&'static str, Counter>,
    lost_lines: AtomicU64,
}

/// What is counted of an entry point.
#[derive(Debug, Clone)]
struct EntryPoint {
    series: Option<Arc<Series>>,
    open: Arc<AtomicI64>,
}

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicI64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// `None`: nothing shall be counted.
    pub(crate) fn new(options: &install::Metrics, issued: &Arc<Issued>) -> Option<Arc<Self>> {
        let prometheus = options.prometheus.clone()?;
        Some(Arc::new(Self {
            options: prometheus,
            add_internals: options.add_internals,
            entry_points: Mutex::default(),
            routers: Mutex::default(),
            services: Mutex::default(),
            certificates: Mutex::default(),
            issued: Arc::clone(issued),
            reloads: AtomicU64::new(0),
            last_reload: AtomicU64::new(0),
            config_errors: AtomicU64::new(0),
            config_is_current: AtomicBool::new(true),
            faults: Cells::default(),
            lost_lines: AtomicU64::new(0),
        }))
    }

    /// Whether requests to the gateway itself count.
    pub(crate) fn adds_internals(&self) -> bool {
        self.add_internals
    }

    /// What the requests of an entry point are counted in.
    pub(crate) fn counts(self: &Arc<Self>, entry_point: &str) -> Arc<Counts> {
        let of_entry_point = self.entry_point(entry_point);
        Arc::new(Counts {
            metrics: Arc::clone(self),
            entry_point: of_entry_point.series,
        })
    }

    /// Counts a connection of an entry point as open.
    pub(crate) fn opened(&self, entry_point: &str) -> Open {
        let open = self.entry_point(entry_point).open;
        open.fetch_add(1, Ordering::Relaxed);
        Open(open)
    }

    fn entry_point(&self, name: &str) -> EntryPoint {
        let mut entry_points = locked(&self.entry_points);
        if let Some(there) = entry_points.get(name) {
            return there.clone();
        }
        let wanted = self.options.add_entry_points_labels;
        let new = EntryPoint {
            series: wanted.then(|| self.series(&[("entrypoint", name)])),
            open: Arc::default(),
        };
        entry_points.insert(name.to_owned(), new.clone());
        new
    }

    /// What the requests of a router are counted in, where they are.
    pub(crate) fn router(&self, name: &str, service: &str) -> Option<Arc<Series>> {
        self.options.add_routers_labels.then(|| {
            let key = (name.to_owned(), service.to_owned());
            let labels = [("router", name), ("service", service)];
            self.kept(&self.routers, key, &labels)
        })
    }

    /// What the requests of a service are counted in, where they are.
    pub(crate) fn service(&self, name: &str) -> Option<Arc<Series>> {
        self.options.add_services_labels.then(|| {
            let labels = [("service", name)];
            self.kept(&self.services, name.to_owned(), &labels)
        })
    }

    fn kept<K: Ord>(
        &self,
        all: &Mutex<BTreeMap<K, Weak<Series>>>,
        key: K,
        labels: &[(&'static str, &str)],
    ) -> Arc<Series> {
        let mut all = locked(all);
        if let Some(there) = all.get(&key).and_then(Weak::upgrade) {
            return there;
        }
        let new = self.series(labels);
        all.insert(key, Arc::downgrade(&new));
        new
    }

    fn series(&self, labels: &[(&'static str, &str)]) -> Arc<Series> {
        Arc::new(Series::new(labels, &self.options.buckets))
    }

    /// Notes what is served from now on.
    pub(crate) fn reloaded(&self, now: SystemTime, snapshot: &Snapshot) {
        let findings = snapshot.diagnostics().iter();
        let errors = findings.filter(|finding| finding.severity == Severity::Error);
        let errors = errors.count();
        *locked(&self.certificates) = snapshot.certificates().to_vec();
        self.reloads.fetch_add(1, Ordering::Relaxed);
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default().as_secs();
        self.last_reload.store(since, Ordering::Relaxed);
        self.config_errors.store(errors as u64, Ordering::Relaxed);
        locked(&self.routers).retain(|_, series| series.strong_count() > 0);
        locked(&self.services).retain(|_, series| series.strong_count() > 0);
    }

    /// Notes whether what is served is what its sources say now.
    pub(crate) fn is_current(&self, is_current: bool) {
        self.config_is_current.store(is_current, Ordering::Relaxed);
    }

    /// Counts a request that could not be served.
    fn failed(&self, reason: Reason) {
        let label = reason.label();
        let order = |known: &&'static str| (*known).cmp(label);
        self.faults.with(
            order,
            || (label, Counter::default()),
            |counter| counter.add(1),
        );
    }

    /// Counts lines of the access log that could not be written.
    pub(crate) fn lost_lines(&self, lines: usize) {
        self.lost_lines.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves such lists whole, so they stay readable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
