//! `leasttime`: the member with the lowest product of its mean time to an answer and its requests
//! in flight, divided by its weight; equals take turns.

use super::{Candidate, Wrr};

/// Members by how soon they answer.
#[derive(Debug)]
pub(in crate::service) struct LeastTime {
    weights: Box<[f64]>,
    /// Among equals, which all are before anybody answered.
    turns: Wrr,
}

impl LeastTime {
    pub(super) fn new(weights: impl Iterator<Item = u32> + Clone) -> Self {
        Self {
            turns: Wrr::new(weights.clone()),
            weights: weights.map(f64::from).collect(),
        }
    }

    pub(super) fn pick<C: Candidate>(&self, members: &[C]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        let mut has_equals = false;
        for (index, member) in members.iter().enumerate() {
            if self.weights[index] <= 0.0 || !member.is_eligible() {
                continue;
            }
            let score = self.score(index, member);
            match best {
                Some((_, lowest)) if score > lowest => {}
                Some((_, lowest)) if score >= lowest => has_equals = true,
                _ => (best, has_equals) = (Some((index, score)), false),
            }
        }
        let (first, lowest) = best?;
        if !has_equals {
            return Some(first);
        }
        let is_equal = |index: usize| {
            let member = &members[index];
            member.is_eligible() && self.score(index, member) <= lowest
        };
        self.turns.pick(is_equal).or(Some(first))
    }

    fn score<C: Candidate>(&self, index: usize, member: &C) -> f64 {
        let load = member.load();
        let waiting = u32::try_from(load.in_flight()).unwrap_or(u32::MAX);
        load.answer_time() * (1.0 + f64::from(waiting)) / self.weights[index]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::load::tests::Idle;
    use super::*;

    #[test]
    fn equals_take_turns_until_somebody_is_quicker() {
        let members = [Idle::default(), Idle::default(), Idle::down()];
        let times = LeastTime::new([1, 1, 1].into_iter());
        assert_eq!(
            [(); 4].map(|()| times.pick(&members)),
            [0, 1, 0, 1].map(Some)
        );
        members[0].load().answered(Duration::from_millis(20));
        members[1].load().answered(Duration::from_millis(5));
        assert_eq!([(); 3].map(|()| times.pick(&members)), [1, 1, 1].map(Some));
        let _four: Vec<_> = (0..4).map(|_| members[1].enter()).collect();
        assert_eq!(times.pick(&members), Some(0));
    }

    #[test]
    fn weights_count() {
        let members = [Idle::default(), Idle::default()];
        members[0].load().answered(Duration::from_millis(10));
        members[1].load().answered(Duration::from_millis(20));
        assert_eq!(LeastTime::new([1, 3].into_iter()).pick(&members), Some(1));
        assert_eq!(LeastTime::new([1, 0].into_iter()).pick(&members), Some(0));
    }
}
