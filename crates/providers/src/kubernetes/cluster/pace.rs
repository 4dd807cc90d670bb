//! When to rebuild: at once after quiet, at a bounded rate while changes go on.

use std::time::Duration;

use tokio::time::Instant;

/// What is applied together is seen together.
const GATHER: Duration = Duration::from_millis(10);
/// Least time between two rebuilds.
const LEAST: Duration = Duration::from_millis(500);

/// The pace of rebuilds.
#[derive(Debug)]
pub(super) struct Pace {
    least: Duration,
    last: Option<Instant>,
    due: Option<Instant>,
}

impl Pace {
    /// `throttle`: the least time between two rebuilds, where it is longer than ours.
    pub(super) fn new(throttle: Duration) -> Self {
        Self {
            least: throttle.max(LEAST),
            last: None,
            due: None,
        }
    }

    /// Something has changed.
    pub(super) fn changed(&mut self, now: Instant) {
        let soon = now + GATHER;
        let due = self.last.map_or(soon, |last| soon.max(last + self.least));
        self.due.get_or_insert(due);
    }

    /// When to rebuild, if at all.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// All changes so far are being taken in.
    pub(super) fn rebuilt(&mut self, now: Instant) {
        self.last = Some(now);
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_quiet_a_rebuild_is_due_at_once_and_then_twice_a_second() {
        let mut pace = Pace::new(Duration::ZERO);
        let start = Instant::now();
        assert_eq!(pace.due(), None);
        pace.changed(start);
        pace.changed(start + Duration::from_millis(5));
        assert_eq!(pace.due(), Some(start + GATHER));
        pace.rebuilt(start + GATHER);
        assert_eq!(pace.due(), None);
        pace.changed(start + Duration::from_millis(20));
        assert_eq!(pace.due(), Some(start + GATHER + LEAST));
        pace.rebuilt(start + GATHER + LEAST);
        let later = start + Duration::from_secs(5);
        pace.changed(later);
        assert_eq!(pace.due(), Some(later + GATHER));
    }
}
