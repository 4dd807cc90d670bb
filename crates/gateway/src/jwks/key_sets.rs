//! Keys that several middlewares want from one place: fetched and kept once for all of them, also
//! when a configuration takes the place of another.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use carnet_config::routing::middleware::oauth_client_credentials::ClientConfig;

use super::keys::Inner;
use super::{HttpKeys, Keys, Place};

/// The keys that a configuration fetches, by where and how.
#[derive(Default)]
pub(crate) struct KeySets(Mutex<Vec<(Place, ClientConfig, Weak<Inner>)>>);

impl KeySets {
    /// The keys of a place, for those who fetch them in the same way; `source` is made for the first.
    ///
    /// # Errors
    /// What `source` says.
    pub(crate) fn of(
        &self,
        (place, how): (&Place, &ClientConfig),
        source: impl FnOnce() -> Result<HttpKeys, String>,
    ) -> Result<Keys, String> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|(_, _, keys)| keys.strong_count() > 0);
        let is_it = |(at, by, _): &&(Place, ClientConfig, _)| at == place && by == how;
        let known = sets.iter().find(is_it);
        if let Some(inner) = known.and_then(|(_, _, keys)| keys.upgrade()) {
            return Ok(Keys(inner));
        }
        let keys = Keys::new(Arc::new(source()?));
        sets.push((place.clone(), how.clone(), Arc::downgrade(&keys.0)));
        Ok(keys)
    }
}
