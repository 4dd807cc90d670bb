//! Removes what time has ended, a little at a time, so that writers in between never wait long.

use super::{Perishable, Result, Store};

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Opaque tokens.
    pub tokens: u64,
    /// Revocations.
    pub revocations: u64,
    /// Uses of assertions.
    pub jtis: u64,
    /// What people did.
    pub people: u64,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Opaque tokens.
    Tokens,
    /// Revocations.
    Revocations,
    /// Uses of assertions.
    Jtis,
    /// What people did.
    People(Perishable),
}

/// How much is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// What ended before then, in seconds since 1970.
    pub before: i64,
    /// So many rows at a time; 0 counts as 1.
    pub batch: u32,
    /// So many rows at most.
    pub limit: u64,
}

/// Removes tokens, revocations, uses of assertions and what people did that ended before `now` (seconds since 1970),
/// `batch` rows at a time, until none is left. `batch` of 0 counts as 1.
///
/// # Errors
/// When the store fails; what was removed until then stays removed.
pub async fn expire(store: &dyn Store, now: i64, batch: u32) -> Result<Expired> {
    let all = Sweep {
        before: now,
        batch,
        limit: u64::MAX,
    };
    let mut people = 0;
    for what in Perishable::ALL {
        people += sweep(store, Ended::People(what), all).await?;
    }
    Ok(Expired {
        people,
        tokens: sweep(store, Ended::Tokens, all).await?,
        revocations: sweep(store, Ended::Revocations, all).await?,
        jtis: sweep(store, Ended::Jtis, all).await?,
    })
}

/// Removes rows of one kind, the oldest first, and says how many.
///
/// # Errors
/// As [`expire`].
pub async fn sweep(store: &dyn Store, ended: Ended, how: Sweep) -> Result<u64> {
    let (before, batch) = (how.before, how.batch.max(1));
    let mut total = 0;
    while total < how.limit {
        let rest = u32::try_from(how.limit - total).unwrap_or(u32::MAX);
        let wanted = batch.min(rest);
        let deleted = match ended {
            Ended::Tokens => store.delete_expired_tokens(before, wanted).await?,
            Ended::Revocations => store.delete_expired_revocations(before, wanted).await?,
            Ended::Jtis => store.delete_expired_jtis(before, wanted).await?,
            Ended::People(what) => store.delete_expired(what, before, wanted).await?,
        };
        total += deleted;
        if deleted < u64::from(wanted) {
            break;
        }
    }
    Ok(total)
}
