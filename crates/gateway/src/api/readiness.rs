//! Whether the process may get traffic, and if not, why. About the process, never about one object
//! of its configuration.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Who waits for the first configuration.
const CONFIGURATION: &str = "configuration";

/// Reasons that keep the process from being ready, each by the name of who gave it.
#[derive(Debug)]
pub struct Readiness(Mutex<State>);

#[derive(Debug)]
struct State {
    reasons: BTreeMap<String, String>,
    is_draining: bool,
}

impl Readiness {
    /// Not ready: nothing is configured yet.
    pub(crate) fn new() -> Self {
        let reason = "no routing configuration was applied yet";
        Self(Mutex::new(State {
            reasons: BTreeMap::from([(CONFIGURATION.to_owned(), reason.to_owned())]),
            is_draining: false,
        }))
    }

    /// Keeps the process from being ready until the same `who` is released: a provider whose first
    /// configuration has not been read, a file that cannot be read.
    pub fn hold(&self, who: &str, reason: &str) {
        let reasons = &mut self.locked().reasons;
        reasons.insert(who.to_owned(), reason.to_owned());
    }

    /// Takes a reason back.
    pub fn release(&self, who: &str) {
        self.locked().reasons.remove(who);
    }

    /// There is a configuration.
    pub(crate) fn configured(&self) {
        self.release(CONFIGURATION);
    }

    /// From now on the process goes away.
    pub(crate) fn drain(&self) {
        self.locked().is_draining = true;
    }

    /// Whether the process goes away.
    pub fn is_draining(&self) -> bool {
        self.locked().is_draining
    }

    /// Whether nothing was configured yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.locked().reasons.contains_key(CONFIGURATION)
    }

    /// All reasons by the name of who gave them; empty: ready.
    pub fn reasons(&self) -> BTreeMap<String, String> {
        let state = self.locked();
        let mut reasons = state.reasons.clone();
        if state.is_draining {
            reasons.insert(
                "process".to_owned(),
                "the process is shutting down".to_owned(),
            );
        }
        reasons
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
