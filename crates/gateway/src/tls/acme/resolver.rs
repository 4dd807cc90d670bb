//! What a resolver has, what it must get, and when. One order at a time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use carnet_config::install::Acme;
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use tokio::time::sleep;

use super::acme_json::{AcmeJson, Kept};
use super::order::Authority;
use super::schedule::{jitter, pause, renewed_before};
use super::{Issued, Names, Wanted};
use crate::supplies::Supplies;
use crate::tls::Identity;

/// The system's clock may be set: nothing waits for longer without looking at it.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// One entry of `certificatesResolvers`.
pub(super) struct Resolver {
    kept: AcmeJson,
    authority: Box<dyn Authority>,
    supplies: Supplies,
    renewed_before: Duration,
    have: Mutex<Vec<Certificate>>,
}

#[derive(Debug, Clone)]
struct Certificate {
    identity: Identity,
    /// When it is to be renewed.
    due: SystemTime,
}

/// What did not work.
#[derive(Debug)]
struct Attempt {
    failures: u32,
    next: SystemTime,
}

impl Resolver {
    /// Reads what was kept. The error is one sentence.
    pub(super) fn open(
        name: &str,
        acme: &Acme,
        kept: AcmeJson,
        authority: Box<dyn Authority>,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let resolver = Self {
            renewed_before: renewed_before(acme.certificates_duration),
            authority,
            supplies: supplies.clone(),
            have: Mutex::default(),
            kept,
        };
        for kept in resolver.kept.certificates()? {
            if let Err(reason) = resolver.add(&kept) {
                let names = kept.names.join(", ");
                tracing::warn!(
                    resolver = name,
                    names,
                    reason,
                    "a kept certificate is not used"
                );
            }
        }
        Ok(resolver)
    }

    /// All certificates, the freshest first.
    pub(super) fn certificates(&self) -> Vec<Identity> {
        let have = self.locked();
        have.iter()
            .map(|certificate| certificate.identity.clone())
            .collect()
    }

    /// Gets what is wanted and renews it.
    pub(super) async fn run(
        &self,
        name: &str,
        mut wanted: watch::Receiver<Wanted>,
        issued: &Issued,
    ) {
        let mut attempts = BTreeMap::new();
        loop {
            let all = wanted
                .borrow_and_update()
                .get(name)
                .cloned()
                .unwrap_or_default();
            attempts.retain(|names, _| all.contains(names));
            let now = self.supplies.clock.now();
            match self.next(&all, &attempts) {
                Some((due, names)) if due <= now => {
                    let obtained = self.obtain(name, names).await;
                    match obtained {
                        Ok(()) => {
                            attempts.remove(names);
                            issued.put(name, self.certificates());
                        }
                        Err(reason) => self.failed(name, names, &reason, &mut attempts),
                    }
                }
                due => {
                    let left = due.map(|(due, _)| due.duration_since(now).unwrap_or_default());
                    let left = left.map_or(LONGEST_SLEEP, |left| left.min(LONGEST_SLEEP));
                    tokio::select! {
                        () = sleep(left) => {}
                        changed = wanted.changed() => {
                            if changed.is_err() {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }

    /// Which names are due first, and when.
    fn next<'a>(
        &self,
        wanted: &'a BTreeSet<Names>,
        attempts: &BTreeMap<Names, Attempt>,
    ) -> Option<(SystemTime, &'a Names)> {
        let have = self.locked();
        let due = wanted.iter().map(|names| {
            let covering = have
                .iter()
                .filter(|certificate| certificate.identity.covers(names));
            let due = covering.map(|certificate| certificate.due).max();
            let due = due.unwrap_or(SystemTime::UNIX_EPOCH);
            let next = attempts.get(names).map_or(due, |attempt| attempt.next);
            (due.max(next), names)
        });
        due.min()
    }

    async fn obtain(&self, name: &str, names: &[String]) -> Result<(), String> {
        let kept = self.authority.obtain(names).await?;
        if !self.add(&kept)?.covers(names) {
            return Err("the authority's certificate is for other names".to_owned());
        }
        let list = names.join(", ");
        tracing::info!(resolver = name, names = list, "a new certificate");
        // It is served in any case; without being kept it will be asked for again.
        if let Err(reason) = self.kept.keep_certificate(&kept).await {
            tracing::error!(resolver = name, names = list, reason, "not kept");
        }
        Ok(())
    }

    fn failed(
        &self,
        name: &str,
        names: &Names,
        reason: &str,
        attempts: &mut BTreeMap<Names, Attempt>,
    ) {
        let now = self.supplies.clock.now();
        let attempt = attempts.entry(names.clone()).or_insert(Attempt {
            failures: 0,
            next: now,
        });
        attempt.failures = attempt.failures.saturating_add(1);
        let pause = pause(attempt.failures);
        let pause = pause + jitter(pause, self.random());
        attempt.next = now + pause;
        let (names, minutes) = (names.join(", "), pause.as_secs().div_ceil(60));
        tracing::error!(
            resolver = name,
            names,
            reason,
            "no certificate; asked for again in {minutes} min"
        );
    }

    /// Adds a certificate to those that are served, in place of one for the same names.
    fn add(&self, kept: &Kept) -> Result<Identity, String> {
        let identity = Identity::of_pem(&kept.certificate, kept.key.expose_secret())?;
        // Never in its first two thirds, or a short-lived one would be renewed again and again.
        let before = self.renewed_before.min(identity.lifetime() / 3);
        let due = identity.ends_at() - before + jitter(before, self.random());
        let mut have = self.locked();
        have.retain(|old| !old.identity.has_names_of(&identity));
        have.push(Certificate {
            identity: identity.clone(),
            due,
        });
        have.sort_by_key(|certificate| Reverse(certificate.due));
        Ok(identity)
    }

    fn random(&self) -> [u8; 2] {
        let mut bytes = [0; 2];
        self.supplies.random.fill(&mut bytes);
        bytes
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Certificate>> {
        self.have.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}
