//! What happens often is told once a second, with how often it happened meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const PAUSE: Duration = Duration::from_secs(1);

/// Tells of one kind of trouble.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    untold: u64,
}

impl Seldom {
    /// Tells it, unless something was told within the last second; `tell` is given how many times
    /// nothing was.
    pub(crate) fn tell(&self, tell: impl FnOnce(u64)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_soon = |told: Instant| told.elapsed() < PAUSE;
        if state.told.is_some_and(is_soon) {
            state.untold += 1;
            return;
        }
        let untold = std::mem::take(&mut state.untold);
        state.told = Some(Instant::now());
        drop(state);
        tell(untold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trouble_is_told_once_a_second() {
        let (seldom, told) = (Seldom::default(), Mutex::new(Vec::new()));
        for _ in 0..25 {
            seldom.tell(|untold| {
                told.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(untold);
            });
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(told, [0, 9, 9]);
    }
}
