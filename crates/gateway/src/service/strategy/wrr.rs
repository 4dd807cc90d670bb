//! `wrr`: smooth weighted round robin. With weights 5, 1, 1 the order is a a a b c a a, not
//! a a a a a b c. The order is laid down once; a pick takes the next place in it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering as Memory};

use crate::shard::Each;

/// Longest order that is laid down. Weights whose sum is larger are rounded to this many places.
const LONGEST: u64 = 65_536;

/// Members by turns.
#[derive(Debug)]
pub(in crate::service) struct Wrr {
    /// Whose turn it is, over and over.
    order: Box<[u32]>,
    /// Each thread goes round by itself. Of one there are no turns, and most services have one.
    next: OnceLock<Box<Each<AtomicUsize>>>,
}

impl Wrr {
    /// Turns over members with these weights.
    pub(in crate::service) fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let weights: Vec<u64> = weights.into_iter().map(u64::from).collect();
        Self {
            order: order(&reduced(&weights)),
            next: OnceLock::new(),
        }
    }

    /// The next member that is eligible; who is not gives its turn to the one after it.
    pub(in crate::service) fn pick(&self, is_eligible: impl Fn(usize) -> bool) -> Option<usize> {
        let next = || {
            let turns = self.next.get_or_init(Box::default);
            &turns.mine(AtomicUsize::default).0
        };
        let turn = match self.order.len() {
            0 => return None,
            1 => 0,
            length => next().fetch_add(1, Memory::Relaxed) % length,
        };
        let (before, after) = self.order.split_at(turn);
        let mut following = after.iter().chain(before).enumerate();
        let (passed, member) = following.find(|(_, member)| is_eligible(**member as usize))?;
        if passed > 0 {
            // Else its heir would have the turns of both, one after the other.
            next().fetch_add(passed, Memory::Relaxed);
        }
        Some(*member as usize)
    }
}

/// A member's next place: it has been served `numerator / (2 * weight)` of a round.
#[derive(PartialEq, Eq)]
struct Due {
    numerator: u64,
    weight: u64,
    member: u32,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, its) = (self.numerator * other.weight, other.numerator * self.weight);
        own.cmp(&its).then(self.member.cmp(&other.member))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The smallest weights with the same shares.
fn reduced(weights: &[u64]) -> Vec<u64> {
    let divisor = weights.iter().copied().fold(0, common_divisor).max(1);
    let total: u64 = weights.iter().map(|weight| weight / divisor).sum();
    let shrunk = |weight: &u64| match (weight / divisor, total) {
        (0, _) => 0,
        (weight, total) if total > LONGEST => (weight * LONGEST / total).max(1),
        (weight, _) => weight,
    };
    weights.iter().map(shrunk).collect()
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Each member as often as its weight, at even distances.
fn order(weights: &[u64]) -> Box<[u32]> {
    let members = (0..).zip(weights).filter(|(_, weight)| **weight > 0);
    let mut due: BinaryHeap<_> = members
        .map(|(member, weight)| {
            Reverse(Due {
                numerator: 1,
                weight: *weight,
                member,
            })
        })
        .collect();
    let places = weights.iter().sum();
    let mut order = Vec::new();
    for _ in 0..places {
        let Some(Reverse(next)) = due.pop() else {
            break;
        };
        order.push(next.member);
        due.push(Reverse(Due {
            numerator: next.numerator + 2,
            ..next
        }));
    }
    order.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[u32], count: usize, is_eligible: impl Fn(usize) -> bool) -> Vec<usize> {
        let turns = Wrr::new(weights.iter().copied());
        (0..count)
            .filter_map(|_| turns.pick(&is_eligible))
            .collect()
    }

    #[test]
    fn heavier_members_come_more_often_and_spread() {
        assert_eq!(turns(&[5, 1, 1], 7, |_| true), [0, 0, 0, 1, 2, 0, 0]);
        assert_eq!(turns(&[20, 40], 6, |_| true), [1, 0, 1, 1, 0, 1]);
    }

    #[test]
    fn equals_take_turns() {
        assert_eq!(turns(&[7, 7, 7], 4, |_| true), [0, 1, 2, 0]);
    }

    #[test]
    fn nobody_is_chosen_without_weight() {
        assert!(turns(&[], 1, |_| true).is_empty());
        assert!(turns(&[0, 0], 1, |_| true).is_empty());
        assert_eq!(turns(&[0, 1], 2, |_| true), [1, 1]);
    }

    #[test]
    fn the_others_share_the_turns_of_who_is_not_eligible() {
        let picked = turns(&[1, 1, 1], 300, |member| member != 1);
        assert_eq!(picked.iter().filter(|member| **member == 0).count(), 150);
        assert!(turns(&[1, 1], 2, |_| false).is_empty());
    }

    #[test]
    fn large_weights_keep_their_shares() {
        let picked = turns(&[u32::MAX, u32::MAX / 4, 1], 65_537, |_| true);
        let count = |wanted| picked.iter().filter(|member| **member == wanted).count();
        assert_eq!((count(2), count(1)), (1, 13_107));
    }
}
