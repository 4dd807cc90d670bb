//! Removes what time has ended, a little at a time, so that writers in between never wait long.

use super::{Result, Store};

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Opaque tokens.
    pub tokens: u64,
    /// Revocations.
    pub revocations: u64,
}

/// Removes tokens and revocations that ended before `now` (seconds since 1970), `batch` rows at a
/// time, until none is left. `batch` of 0 counts as 1.
///
/// # Errors
/// When the store fails; what was removed until then stays removed.
pub async fn expire(store: &dyn Store, now: i64, batch: u32) -> Result<Expired> {
    let batch = batch.max(1);
    let mut expired = Expired::default();
    loop {
        let deleted = store.delete_expired_tokens(now, batch).await?;
        expired.tokens += deleted;
        if deleted < u64::from(batch) {
            break;
        }
    }
    loop {
        let deleted = store.delete_expired_revocations(now, batch).await?;
        expired.revocations += deleted;
        if deleted < u64::from(batch) {
            break;
        }
    }
    Ok(expired)
}
