//! The certificates of all resolvers, as handshakes find them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;

use crate::tls::certificates::ByName;
use crate::tls::{CertificateFacts, Identity};

/// Swapped as a whole whenever there is a new one.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    by_resolver: Mutex<BTreeMap<String, Vec<Identity>>>,
    by_name: ArcSwap<ByName>,
}

impl Issued {
    /// All that a resolver has, the best first.
    pub(super) fn put(&self, resolver: &str, identities: Vec<Identity>) {
        let mut all = self.locked();
        all.insert(resolver.to_owned(), identities);
        let by_name = ByName::new(all.values().flatten());
        self.by_name.store(Arc::new(by_name));
    }

    /// What all of them say of themselves.
    pub(crate) fn facts(&self) -> Vec<CertificateFacts> {
        let all = self.locked();
        let identities = all.values().flatten();
        identities.filter_map(Identity::facts).collect()
    }

    /// The first of a name that fits.
    pub(crate) fn find(
        &self,
        name: &str,
        fits: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let by_name = self.by_name.load();
        let mut keys = by_name.of(name).iter();
        keys.find(|key| fits(key)).cloned()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Identity>>> {
        self.by_resolver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
