//! Secrets that turned out right. Hashes are computed off the threads that serve requests, few at once; a
//! secret that was right is remembered, by a keyed digest, as long as the options stay the same.

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::error::{Fault, Reason};
use crate::middleware::digests::Digest;

/// So many hashes are computed at once; others wait.
const AT_ONCE: usize = 2;
/// So many right secrets are remembered.
const REMEMBERED: usize = 4096;

/// The secrets that one middleware remembers.
pub(in crate::middleware) struct Right {
    pub(in crate::middleware) remembered: Cache<Digest, ()>,
    pub(in crate::middleware) turns: Semaphore,
}

impl Right {
    pub(in crate::middleware) fn new() -> Self {
        Self {
            remembered: Cache::new(REMEMBERED),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Whether the secret of a digest was right before.
    pub(in crate::middleware) fn has(&self, digest: &Digest) -> bool {
        self.remembered.get(digest).is_some()
    }

    /// Whether a secret that is not remembered is right, by what takes time to compute.
    pub(in crate::middleware) async fn or_computed(
        &self,
        digest: Digest,
        compute: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, Fault> {
        let internal = || Fault::new(Reason::Internal);
        let turn = self.turns.acquire().await.map_err(|_| internal())?;
        // Of many that come with one secret, the first is computed for all.
        if self.has(&digest) {
            return Ok(true);
        }
        let computed = tokio::task::spawn_blocking(compute);
        let is_right = computed.await.map_err(|error| internal().because(error))?;
        drop(turn);
        if is_right {
            self.remembered.insert(digest, ());
        }
        Ok(is_right)
    }
}
