//! Whether the service behind is asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carnet_config::routing::middleware::CircuitBreaker as Options;
use tokio::time::Instant;

use super::window::Window;

/// One for each middleware.
pub(super) struct Breaker {
    name: String,
    options: Options,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    window: Window,
    /// When the condition is looked at next.
    next_look: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Everybody passes.
    Closed,
    /// Nobody passes.
    Open { until: Instant },
    /// More and more pass.
    Recovering {
        since: Instant,
        admitted: u32,
        refused: u32,
    },
}

impl Breaker {
    pub(super) fn new(name: &str, options: &Options) -> Self {
        Self {
            name: name.to_owned(),
            options: options.clone(),
            inner: Mutex::new(Inner {
                state: State::Closed,
                window: Window::default(),
                next_look: None,
            }),
        }
    }

    /// Whether a request may pass.
    pub(super) fn admits(&self) -> bool {
        let now = Instant::now();
        let mut inner = self.locked();
        if let State::Open { until } = inner.state {
            if now < until {
                return false;
            }
            inner.state = State::Recovering {
                since: now,
                admitted: 0,
                refused: 0,
            };
        }
        let recovery = self.options.recovery_duration;
        let State::Recovering {
            since,
            admitted,
            refused,
        } = &mut inner.state
        else {
            return true;
        };
        let passed = now.saturating_duration_since(*since);
        if passed > recovery {
            inner.state = State::Closed;
            tracing::info!(
                middleware = self.name,
                "circuit closed: the service is asked"
            );
            return true;
        }
        // A share of one half at the end means as many as were refused before: nearly all.
        let wanted = 0.5 * passed.as_secs_f64() / recovery.as_secs_f64();
        let share = f64::from(*admitted + 1) / f64::from(*admitted + *refused + 1);
        let is_admitted = share < wanted;
        let count = match is_admitted {
            true => admitted,
            false => refused,
        };
        *count = count.saturating_add(1);
        is_admitted
    }

    /// An answer has ended.
    pub(super) fn answered(&self, status: u16, latency: Duration) {
        let now = Instant::now();
        let mut inner = self.locked();
        inner.window.count(now, status, latency);
        if inner.next_look.is_some_and(|next| now <= next) {
            return;
        }
        inner.next_look = now.checked_add(self.options.check_period);
        let is_open = matches!(inner.state, State::Open { .. });
        if is_open || !self.is_failing(&mut inner.window, now) {
            return;
        }
        inner.state = State::Open {
            until: now + self.options.fallback_duration,
        };
        inner.window = Window::default();
        drop(inner);
        tracing::warn!(
            middleware = self.name,
            "circuit open: the service is not asked"
        );
    }

    fn is_failing(&self, window: &mut Window, now: Instant) -> bool {
        window.forget(now);
        let condition = &self.options.expression.condition;
        condition.holds(&|measure| window.value(*measure))
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_config::document::parse_yaml;
    use carnet_config::routing::{Middleware, middleware};

    use super::*;

    fn breaker() -> Breaker {
        let yaml = "circuitBreaker: {expression: 'NetworkErrorRatio() > 0.5', checkPeriod: 1s}";
        let documents = parse_yaml(yaml, "test").unwrap();
        let Some(Middleware::CircuitBreaker(options)) = middleware::read(&documents[0], "m").value
        else {
            unreachable!("it is one");
        };
        Breaker::new("m", &options)
    }

    fn answers(breaker: &Breaker, status: u16, count: usize) {
        (0..count).for_each(|_| breaker.answered(status, Duration::from_millis(1)));
    }

    fn admitted(breaker: &Breaker) -> usize {
        (0..1000).filter(|_| breaker.admits()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_lets_more_and_more_pass_and_closes() {
        let breaker = breaker();
        answers(&breaker, 200, 1);
        // Nobody looks within a period.
        answers(&breaker, 502, 10);
        assert_eq!(admitted(&breaker), 1000);
        tokio::time::advance(Duration::from_millis(1001)).await;
        answers(&breaker, 502, 1);
        assert_eq!(admitted(&breaker), 0);
        tokio::time::advance(Duration::from_secs(10)).await;
        // Recovering begins with the first who asks.
        assert_eq!(admitted(&breaker), 0);
        tokio::time::advance(Duration::from_secs(4)).await;
        let early = admitted(&breaker);
        tokio::time::advance(Duration::from_secs(5)).await;
        let late = admitted(&breaker);
        assert!(0 < early && early < late && late < 1000, "{early} {late}");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(admitted(&breaker), 1000);
        // What failed before is forgotten.
        answers(&breaker, 200, 1);
        assert_eq!(admitted(&breaker), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_fails_again_while_it_recovers_is_left_alone_again() {
        let breaker = breaker();
        answers(&breaker, 502, 1);
        assert_eq!(admitted(&breaker), 0);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(admitted(&breaker), 0);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(admitted(&breaker) > 0);
        answers(&breaker, 504, 1);
        assert_eq!(admitted(&breaker), 0);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(admitted(&breaker), 0);
    }
}
