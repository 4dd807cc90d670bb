//! The certificates of all resolvers, as handshakes find them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;

use crate::tls::Identity;
use crate::tls::certificates::ByName;

/// Swapped as a whole whenever there is a new one.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    by_resolver: Mutex<BTreeMap<String, Vec<Identity>>>,
    by_name: ArcSwap<ByName>,
}

impl Issued {
    /// All that a resolver has, the best first.
    pub(super) fn put(&self, resolver: &str, identities: Vec<Identity>) {
        let mut all = self
            .by_resolver
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.insert(resolver.to_owned(), identities);
        let by_name = ByName::new(all.values().flatten());
        self.by_name.store(Arc::new(by_name));
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
}
