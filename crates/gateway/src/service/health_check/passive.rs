//! `passiveHealthCheck`: failures in a row, counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use carnet_config::routing::service::PassiveHealthCheck;
use tokio::time::Instant;

/// Counts the failures of one server. Success without failures before it costs one look.
#[derive(Debug)]
pub(super) struct Passive {
    options: PassiveHealthCheck,
    began: Instant,
    has_failed: AtomicBool,
    failures: Mutex<VecDeque<Instant>>,
    /// Milliseconds after `began` until which the server is left alone; zero: it is not.
    out_until: AtomicU64,
}

impl Passive {
    pub(super) fn new(options: PassiveHealthCheck) -> Self {
        Self {
            options,
            began: Instant::now(),
            has_failed: AtomicBool::new(false),
            failures: Mutex::default(),
            out_until: AtomicU64::new(0),
        }
    }

    pub(super) fn is_out(&self) -> bool {
        match self.out_until.load(Ordering::Relaxed) {
            0 => false,
            until => milliseconds(self.began.elapsed()) < until,
        }
    }

    /// What failed before does not count any more.
    pub(super) fn succeeded(&self) {
        if self.has_failed.load(Ordering::Relaxed) {
            self.has_failed.store(false, Ordering::Relaxed);
            self.locked().clear();
        }
    }

    /// One more failure. Whether there are too many within the window.
    pub(super) fn failed(&self) -> bool {
        let now = Instant::now();
        let limit = usize::try_from(self.options.max_failed_attempts).unwrap_or(usize::MAX);
        let mut failures = self.locked();
        self.has_failed.store(true, Ordering::Relaxed);
        failures.push_back(now);
        let is_old = |failure: &Instant| now - *failure > self.options.failure_window;
        while failures.front().is_some_and(is_old) {
            failures.pop_front();
        }
        let are_too_many = failures.len() >= limit;
        if are_too_many {
            failures.clear();
        }
        are_too_many
    }

    /// Leaves the server alone for the length of the window.
    pub(super) fn take_out(&self) {
        let until = self.began.elapsed() + self.options.failure_window;
        self.out_until
            .store(milliseconds(until).max(1), Ordering::Relaxed);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, VecDeque<Instant>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passive(max_failed_attempts: u32) -> Passive {
        Passive::new(PassiveHealthCheck {
            failure_window: Duration::from_secs(10),
            max_failed_attempts,
        })
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn only_failures_in_a_row_and_within_the_window_count() {
        let passive = passive(3);
        assert_eq!([(); 2].map(|()| passive.failed()), [false, false]);
        passive.succeeded();
        assert_eq!([(); 2].map(|()| passive.failed()), [false, false]);
        pass(11).await;
        assert_eq!([(); 3].map(|()| passive.failed()), [false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_left_alone_for_the_window() {
        let passive = passive(1);
        assert!(passive.failed());
        passive.take_out();
        assert!(passive.is_out());
        pass(9).await;
        assert!(passive.is_out());
        pass(2).await;
        assert!(!passive.is_out());
    }
}
