//! `p2c`: of two members at random, the one with fewer requests in flight.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Candidate;

/// Members by two random choices.
#[derive(Debug)]
pub(in crate::service) struct P2c {
    state: AtomicU64,
}

/// Step of SplitMix64, whose state is a counter: threads take numbers from it without a lock.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl P2c {
    /// Choices that begin at a random seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
        }
    }

    pub(super) fn pick<C: Candidate>(&self, members: &[C]) -> Option<usize> {
        let eligible = members.iter().enumerate();
        let eligible = eligible.filter(|(_, member)| member.is_eligible());
        let count = eligible.clone().count();
        if count < 2 {
            return eligible.clone().next().map(|(index, _)| index);
        }
        let random = self.next();
        // Of all pairs of two different ones, each as likely as another.
        let first = below(random >> 32, count);
        let second = below(random & 0xffff_ffff, count - 1);
        let second = second + usize::from(second >= first);
        // Who went down in between is not there any more: the other one, then.
        let (first, second) = (eligible.clone().nth(first), eligible.clone().nth(second));
        let load = |member: &C| member.load().in_flight();
        match (first, second) {
            (Some((_, a)), Some((index, b))) if load(b) < load(a) => Some(index),
            (Some((index, _)), _) | (None, Some((index, _))) => Some(index),
            (None, None) => None,
        }
    }

    fn next(&self) -> u64 {
        let state = self.state.fetch_add(STEP, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Of 32 random bits, a number below a limit.
fn below(random: u64, limit: usize) -> usize {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    usize::try_from(random.wrapping_mul(limit) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::load::tests::Idle;
    use super::*;

    #[test]
    fn the_busier_of_two_is_spared() {
        let members = [Idle::default(), Idle::default(), Idle::default()];
        let _busy: Vec<_> = (0..3).map(|_| members[1].enter()).collect();
        let choices = P2c::new(42);
        let picked: Vec<_> = (0..300).filter_map(|_| choices.pick(&members)).collect();
        let count = |wanted| picked.iter().filter(|member| **member == wanted).count();
        assert_eq!(count(1), 0);
        assert!((110..=190).contains(&count(0)), "{}", count(0));
    }

    #[test]
    fn who_is_not_eligible_is_not_chosen() {
        let members = [Idle::default(), Idle::down(), Idle::default()];
        let choices = P2c::new(7);
        for _ in 0..100 {
            assert_ne!(choices.pick(&members), Some(1));
        }
        assert_eq!(choices.pick(&[Idle::down(), Idle::default()]), Some(1));
        assert_eq!(choices.pick(&[Idle::down()]), None);
    }
}
