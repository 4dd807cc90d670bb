//! Removes what time has ended, a little at a time, so that writers in between never wait long.

use super::{Result, Store};

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Opaque tokens.
    pub tokens: u64,
    /// Revocations.
    pub revocations: u64,
    /// Uses of assertions.
    pub jtis: u64,
}

/// Removes tokens, revocations and uses of assertions that ended before `now` (seconds since 1970),
/// `batch` rows at a time, until none is left. `batch` of 0 counts as 1.
///
/// # Errors
/// When the store fails; what was removed until then stays removed.
pub async fn expire(store: &dyn Store, now: i64, batch: u32) -> Result<Expired> {
    let batch = batch.max(1);
    Ok(Expired {
        tokens: all(batch, || store.delete_expired_tokens(now, batch)).await?,
        revocations: all(batch, || store.delete_expired_revocations(now, batch)).await?,
        jtis: all(batch, || store.delete_expired_jtis(now, batch)).await?,
    })
}

/// Deletes until less than a batch was left.
async fn all<F>(batch: u32, delete: impl Fn() -> F) -> Result<u64>
where
    F: Future<Output = Result<u64>>,
{
    let mut total = 0;
    loop {
        let deleted = delete().await?;
        total += deleted;
        if deleted < u64::from(batch) {
            return Ok(total);
        }
    }
}
