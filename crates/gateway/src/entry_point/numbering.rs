//! The number of each request since the start. Each thread takes a few numbers at a time, so that
//! they seldom meet: no number comes twice, one thread alone counts without gaps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::shard::Each;

/// Numbers that a thread takes at a time.
const FEW: u64 = 64;

/// Gives numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    taken: AtomicU64,
    /// The last number that a thread gave, which ends its few when it is a multiple of them.
    given: Each<Mutex<u64>>,
}

impl Numbering {
    /// A number that was not given before, from 1.
    pub(super) fn next(&self) -> u64 {
        let given = &self.given.mine(Mutex::default).0;
        let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.is_multiple_of(FEW) {
            *given = self.taken.fetch_add(FEW, Ordering::Relaxed);
        }
        *given += 1;
        *given
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_thread_counts_without_gaps() {
        let numbering = Numbering::default();
        assert!((1..300).all(|number| numbering.next() == number));
    }

    #[test]
    fn no_number_comes_twice() {
        let numbering = Numbering::default();
        let some = || (0..200).map(|_| numbering.next()).collect::<Vec<_>>();
        let given: BTreeSet<u64> = std::thread::scope(|scope| {
            let threads = [(); 20].map(|()| scope.spawn(some));
            threads.map(|thread| thread.join().unwrap()).concat()
        })
        .into_iter()
        .collect();
        assert_eq!(given.len(), 4000);
    }
}
