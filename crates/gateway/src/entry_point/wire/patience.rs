//! How long a connection may take for what it does, and when it may rest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::{Phase, State, Wire};

/// A connection that is quiet for so long rests: its parser and its buffers are given back.
const REST: Duration = Duration::from_millis(100);

impl<S> Wire<S> {
    /// Sets the clock for what the connection does now.
    pub(super) fn wind(&mut self) {
        self.deadline.set(match self.phase {
            Phase::Request => self.limits.read,
            Phase::Idle => self.look(),
        });
    }

    /// After how long to look whether the connection is idle; zero: never.
    fn look(&self) -> Duration {
        match (&self.state, self.limits.idle.is_zero()) {
            (State::Open, _) => self.limits.idle,
            (_, true) => REST,
            (_, false) => REST.min(self.limits.idle),
        }
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase != phase {
            self.phase = phase;
            self.wind();
        }
    }

    /// Ready with an error when the connection took too long.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.traffic.is_raw() {
            return Poll::Pending;
        }
        loop {
            ready!(self.deadline.poll(cx));
            if self.phase == Phase::Request || self.is_idle_for_too_long() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
        }
    }

    /// Looks at an idle connection, lets it rest if it may, and says when to look again.
    fn is_idle_for_too_long(&mut self) -> bool {
        let now = Instant::now();
        if std::mem::take(&mut self.is_fresh) || self.traffic.is_busy() {
            self.heard = now;
            self.wind();
            return false;
        }
        let end = (!self.limits.idle.is_zero()).then(|| self.heard + self.limits.idle);
        let left = end.map(|end| end.saturating_duration_since(now));
        let may_rest = self.may_rest();
        self.traffic.rests(may_rest);
        self.deadline.set(match left {
            // A resting connection has nothing else to do than to end.
            left if may_rest => left.unwrap_or_default(),
            Some(left) => left.min(self.look()),
            None => self.look(),
        });
        left.is_some_and(|left| left.is_zero())
    }

    /// Whether nothing is lost when the parser goes: no request is in it, no answer on its way.
    fn may_rest(&self) -> bool {
        let is_between = matches!(self.state, State::Head) && self.buffer.is_empty();
        is_between && self.is_flushed
    }

    /// Notes that bytes came, or what it means that none did.
    pub(super) fn tell_time(&mut self) {
        let is_between = matches!(self.state, State::Head) && self.ready == self.buffer.len();
        match is_between || matches!(self.state, State::Open) {
            true => self.enter(Phase::Idle),
            false => self.enter(Phase::Request),
        }
        self.is_fresh = true;
    }

    /// An error when the answer took too long.
    pub(super) fn check_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let is_tunnel = self.traffic.is_raw();
        let timer = self.write_timer.as_mut().filter(|_| !is_tunnel);
        match timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }
}

/// Goes off after the limit; zero: never.
pub(super) fn timer(limit: Duration) -> Option<Pin<Box<Sleep>>> {
    (!limit.is_zero()).then(|| Box::pin(tokio::time::sleep(limit)))
}
