//! Smooth weighted round robin: with weights 5, 1, 1 the order is a a b a c a a, not a a a a a b c.

use std::sync::{Mutex, PoisonError};

/// Chooses among candidates by their weights.
#[derive(Debug)]
pub(super) struct Balance {
    weights: Vec<i64>,
    current: Mutex<Vec<i64>>,
}

impl Balance {
    pub(super) fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let weights: Vec<i64> = weights.into_iter().map(i64::from).collect();
        Self {
            current: Mutex::new(vec![0; weights.len()]),
            weights,
        }
    }

    /// The index of the next candidate; `None` when none has a weight above zero.
    pub(super) fn next(&self) -> Option<usize> {
        let total: i64 = self.weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        for (value, weight) in current.iter_mut().zip(&self.weights) {
            *value += weight;
        }
        let candidates = current.iter().enumerate();
        // The first of equals: `max_by_key` would take the last.
        let (best, _) = candidates
            .filter(|(index, _)| self.weights[*index] > 0)
            .rev()
            .max_by_key(|(_, value)| **value)?;
        current[best] -= total;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(weights: &[u32], turns: usize) -> Vec<Option<usize>> {
        let balance = Balance::new(weights.iter().copied());
        (0..turns).map(|_| balance.next()).collect()
    }

    #[test]
    fn heavier_candidates_come_more_often_and_spread() {
        let order: Vec<usize> = order(&[5, 1, 1], 7).into_iter().flatten().collect();
        assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn equals_take_turns() {
        let order: Vec<usize> = order(&[1, 1, 1], 4).into_iter().flatten().collect();
        assert_eq!(order, [0, 1, 2, 0]);
    }

    #[test]
    fn nobody_is_chosen_without_weight() {
        assert_eq!(order(&[], 1), [None]);
        assert_eq!(order(&[0, 0], 1), [None]);
        assert_eq!(order(&[0, 1], 2), [Some(1), Some(1)]);
    }
}
