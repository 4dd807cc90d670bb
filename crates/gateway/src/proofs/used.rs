//! The proofs that this process saw, for as long as they count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use carnet_jose::base64url;

use super::Refusal;
use crate::seldom::Seldom;

/// So many are remembered at most, in some 30 MiB: fifteen thousand new ones a second. Beyond, none is
/// taken, as it could be used again.
const MOST: usize = 1 << 20;

/// Those that end within the same so many seconds are forgotten together.
const SLOT: i64 = 8;

#[derive(Debug, Default)]
pub(super) struct Used {
    names: Mutex<Names>,
    full: Seldom,
}

/// Names by the time of their end.
#[derive(Debug, Default)]
struct Names {
    slots: BTreeMap<i64, BTreeSet<u128>>,
    count: usize,
}

impl Used {
    /// Remembers a proof until its end.
    pub(super) fn note(&self, name: &str, until: i64, now: i64) -> Result<(), Refusal> {
        // Every proof has such a name; what has none is not taken.
        let name = short(name).ok_or(Refusal::Used)?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = names.forget(now);
        let outcome = names.note(name, until);
        drop(names);
        drop(ended);
        if outcome == Err(Refusal::Full) {
            self.full.tell(|untold| {
                tracing::error!(
                    untold,
                    "more proofs of keys came than can be remembered: those that are new are answered 503"
                );
            });
        }
        outcome
    }
}

impl Names {
    fn note(&mut self, name: u128, until: i64) -> Result<(), Refusal> {
        // Another proof of the same name may end at another time.
        if self.slots.values().any(|slot| slot.contains(&name)) {
            return Err(Refusal::Used);
        }
        if self.count >= MOST {
            return Err(Refusal::Full);
        }
        let slot = self.slots.entry(until.div_euclid(SLOT)).or_default();
        slot.insert(name);
        self.count += 1;
        Ok(())
    }

    /// Takes out what has ended.
    fn forget(&mut self, now: i64) -> Vec<BTreeSet<u128>> {
        let mut ended = Vec::new();
        while let Some(slot) = self.slots.first_entry()
            && slot.key().saturating_add(1).saturating_mul(SLOT) <= now
        {
            let names = slot.remove();
            self.count -= names.len();
            ended.push(names);
        }
        ended
    }
}

/// Half of a digest: nobody finds another proof of the same, and whoever makes two that have the same
/// gets one of them refused.
fn short(name: &str) -> Option<u128> {
    let digest = base64url::decode(name)?;
    digest.first_chunk().copied().map(u128::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    use carnet_oauth::dpop;

    /// The life of a proof, with the margin of whoever made it.
    const LIFE: i64 = dpop::PAST + dpop::AHEAD;

    fn count(used: &Used) -> usize {
        let names = used.names.lock().unwrap_or_else(PoisonError::into_inner);
        let there: usize = names.slots.values().map(BTreeSet::len).sum();
        assert_eq!(names.count, there);
        there
    }

    /// As the name of a proof is.
    fn name(n: i64) -> String {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_le_bytes());
        base64url::encode(digest)
    }

    // Holds DP-03.
    #[test]
    fn of_a_million_proofs_those_that_still_count_are_remembered() {
        let (used, a_second) = (Used::default(), 1000);
        for n in 0..1_000_000 {
            let now = n / a_second;
            assert_eq!(used.note(&name(n), now + LIFE, now), Ok(()));
            if n % 10_007 == 0 {
                let oldest = (n - LIFE * a_second).max(0);
                for again in [n, n - n % a_second, oldest] {
                    let outcome = used.note(&name(again), now + LIFE, now);
                    assert_eq!(outcome, Err(Refusal::Used), "{again}");
                }
                let at_most = usize::try_from((LIFE + SLOT) * a_second).unwrap_or_default();
                assert!(count(&used) <= at_most, "{n}");
            }
        }
    }

    // Holds DP-03.
    #[test]
    fn of_a_flood_of_proofs_no_more_are_taken_than_can_be_remembered() {
        let used = Used::default();
        let mut taken = 0;
        for n in 0..1_100_000 {
            match used.note(&name(n), LIFE, 0) {
                Ok(()) => taken += 1,
                refused => assert_eq!(refused, Err(Refusal::Full)),
            }
        }
        assert_eq!((taken, count(&used)), (MOST, MOST));
        // Those that were taken are known all the same, until their end and not for long beyond.
        assert_eq!(used.note(&name(0), LIFE, LIFE), Err(Refusal::Used));
        let later = LIFE + SLOT;
        assert_eq!(used.note(&name(0), later + LIFE, later), Ok(()));
        assert_eq!(count(&used), 1);
    }

    // Holds DP-03.
    #[test]
    fn a_name_counts_once_whenever_its_proofs_end() {
        let used = Used::default();
        assert_eq!(used.note(&name(1), LIFE, 0), Ok(()));
        assert_eq!(used.note(&name(1), LIFE + 20, 20), Err(Refusal::Used));
        assert_eq!(used.note("no digest", LIFE, 0), Err(Refusal::Used));
    }
}
