//! `retry`: sends a request again that no server answered, or that was answered with one of some
//! statuses. `lent.rs` gets a body back that nobody has read of.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::middleware::Retry as Options;
use carnet_oauth::Random;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Method;
use http::request::Parts;
use tokio::time::Instant;

use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::budget::{Allowance, Budget};
use crate::error::{Fault, Reason};
use crate::room::Room;
use crate::service::{Collected, Repeatable, collect};
use crate::supplies::Supplies;

mod lent;

use lent::Lender;

/// Requests that may be sent again besides a fifth of all.
const ALLOWANCE: Allowance = Allowance {
    a_second: 10.0,
    most: 200.0,
};

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// The middleware.
#[derive(Debug)]
pub(super) struct Retry {
    options: Options,
    /// Bytes of a body that are kept.
    limit: usize,
    /// By how much a wait is longer than the one before: the last is twice the first.
    factor: f64,
    budget: Budget,
    random: Arc<dyn Random>,
    room: Arc<Room>,
}

/// Where further attempts have their request from.
enum Source {
    /// From memory.
    Kept(Box<Repeatable>),
    /// From the client, as long as nobody has read of the body.
    Client(Box<(Parts, Lender)>),
}

impl Retry {
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Self {
        let limit = options.max_request_body_bytes;
        Self {
            limit: limit.map_or(usize::MAX, |limit| {
                usize::try_from(limit).unwrap_or(usize::MAX)
            }),
            factor: 2_f64.powf(1.0 / f64::from(options.attempts.saturating_sub(1).max(1))),
            options: options.clone(),
            budget: Budget::new(ALLOWANCE),
            random: Arc::clone(&supplies.random),
            room: Arc::clone(&supplies.room),
        }
    }

    async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        self.budget.sent();
        let started = Instant::now();
        let mut source = self.source(request).await?;
        for attempt in 1.. {
            let Some(request) = source.request() else {
                break;
            };
            exchange.note(|record| record.fault = None);
            let response = next.run(request).await;
            let is_last = attempt >= self.options.attempts || self.is_late(started);
            if is_last || !self.is_failure(&response, &source, exchange) || !source.has_more() {
                return Ok(response);
            }
            if !self.budget.take() {
                return Ok(response);
            }
            drop(response);
            exchange.note(|record| record.retry_attempts += 1);
            tokio::time::sleep(self.pause(attempt)).await;
        }
        Err(Fault::new(Reason::Internal).because("the body of a request was not given back"))
    }

    /// A body is kept only where a status may be the reason to send it again.
    async fn source(&self, request: Request) -> Result<Source, Fault> {
        let is_repeatable = self.options.retry_non_idempotent_method
            || !matches!(*request.method(), Method::POST | Method::PATCH)
                && request.method().as_str() != "LOCK";
        if self.options.status.is_empty() || !is_repeatable {
            return Ok(Source::client(request));
        }
        Ok(match collect(request, self.limit, &self.room).await? {
            Collected::Whole(kept) => Source::Kept(Box::new(kept)),
            Collected::Streamed(request, _) => Source::client(request),
        })
    }

    fn is_late(&self, started: Instant) -> bool {
        let timeout = self.options.timeout;
        !timeout.is_zero() && started.elapsed() >= timeout
    }

    /// Whether another attempt may do better, and does no harm.
    fn is_failure(&self, response: &Response, source: &Source, exchange: &Exchange) -> bool {
        let reached_nobody = || {
            let fault = exchange.noted(|record| record.fault);
            fault.is_some_and(Reason::retry)
        };
        let is_listed = || {
            let status = response.status().as_u16();
            matches!(source, Source::Kept(_)) && self.options.status.contain(status)
        };
        !self.options.disable_retry_on_network_error && reached_nobody() || is_listed()
    }

    /// The wait after an attempt, counted from 1: half of it or half as much again, by chance.
    fn pause(&self, attempt: u32) -> Duration {
        let first = self.options.initial_interval;
        if first.is_zero() {
            return first;
        }
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        let chance = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        let longer = self
            .factor
            .powi(i32::try_from(attempt - 1).unwrap_or(i32::MAX));
        let seconds = first.as_secs_f64() * longer * (0.5 + chance);
        Duration::try_from_secs_f64(seconds).map_or(LONGEST, |pause| pause.min(LONGEST))
    }
}

impl Source {
    fn client(request: Request) -> Self {
        let (head, body) = request.into_parts();
        Self::Client(Box::new((head, Lender::new(body))))
    }

    fn request(&mut self) -> Option<Request> {
        match self {
            Self::Kept(kept) => Some(kept.request()),
            Self::Client(client) => {
                let (head, lender) = client.as_mut();
                Some(Request::from_parts(head.clone(), lender.lend()?))
            }
        }
    }

    fn has_more(&self) -> bool {
        match self {
            Self::Kept(_) => true,
            Self::Client(client) => client.1.is_back(),
        }
    }
}

impl Middleware for Retry {
    fn kind(&self) -> &'static str {
        "retry"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        match self.options.attempts {
            0 | 1 => Box::pin(next.run(request).map(Ok)),
            _ => Box::pin(self.pass(request, exchange, next)),
        }
    }
}
