//! A deadline that is moved often and passes seldom. The timer behind it stays where it is when the
//! deadline moves away, and is set again when it goes off too early: a busy connection touches it a
//! few times a second, not with each request.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

/// A moment after which something is over.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    /// `None`: never.
    due: Option<Instant>,
    /// Goes off at that moment or before.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom it surely wakes then.
    waker: Option<Waker>,
}

impl Deadline {
    /// Moves it to so long from now; zero: it never comes.
    pub(super) fn set(&mut self, limit: Duration) {
        self.due = (!limit.is_zero()).then(|| Instant::now() + limit);
        if let (Some(due), Some(timer)) = (self.due, &mut self.timer)
            && timer.deadline() > due
        {
            timer.as_mut().reset(due);
        }
    }

    /// Ready when it has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due else {
            return Poll::Pending;
        };
        // Most questions come long before it goes off; who is woken need not be told again.
        let is_asleep = self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed());
        let knows = |waker: &Waker| waker.will_wake(cx.waker());
        if is_asleep && self.waker.as_ref().is_some_and(knows) {
            return Poll::Pending;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            // A task that has had its turn is woken for the next one, not by the timer.
            let hears = coop::has_budget_remaining();
            if timer.as_mut().poll(cx).is_pending() {
                self.waker = hears.then(|| cx.waker().clone());
                return Poll::Pending;
            }
            if timer.deadline() >= due {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_passes_when_it_was_set_to_last() {
        let (mut deadline, begun) = (Deadline::default(), Instant::now());
        for (limit, passes) in [(5, 5), (20, 25), (1, 26)] {
            deadline.set(Duration::from_secs(100));
            assert!(poll_fn(|cx| Poll::Ready(deadline.poll(cx).is_pending())).await);
            deadline.set(Duration::from_secs(limit));
            poll_fn(|cx| deadline.poll(cx)).await;
            assert_eq!(begun.elapsed().as_secs(), passes);
        }
        deadline.set(Duration::ZERO);
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll(cx).is_pending())).await);
    }
}
