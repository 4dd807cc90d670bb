//! The rest of a chain, walked one station at a time.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tracing::Instrument as _;

use super::{Exchange, Middleware};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::respond;
use crate::traces::Trace;

/// What stands at the end of a chain: a service.
pub trait Endpoint: Send + Sync + fmt::Debug {
    /// Answers the request.
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>>;

    /// Whether there is somebody to answer, as far as health checks know.
    fn is_up(&self) -> bool {
        true
    }

    /// Whether health checks know anything of it at all: `healthCheck` is there.
    fn reports_health(&self) -> bool {
        false
    }

    /// The servers that it chooses from, in the order of the configuration.
    fn servers(&self) -> Vec<ServerStatus> {
        Vec::new()
    }
}

/// A server as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its URL, without a slash at its end.
    pub url: String,
    /// Whether it is well, as far as health checks know.
    pub is_up: bool,
}

/// A cursor over the stations that are left. Not calling [`Next::run`] is answering.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    middlewares: &'a [Arc<dyn Middleware>],
    endpoint: &'a dyn Endpoint,
    exchange: &'a Exchange,
}

impl<'a> Next<'a> {
    /// A cursor before the first station.
    pub fn new(
        middlewares: &'a [Arc<dyn Middleware>],
        endpoint: &'a dyn Endpoint,
        exchange: &'a Exchange,
    ) -> Self {
        Self {
            middlewares,
            endpoint,
            exchange,
        }
    }

    /// Goes on to the next station. Always gives a response: a fault becomes one here, so that
    /// every station outside sees a status, ours or a backend's alike.
    ///
    /// The station begins when this is called; what is given back waits for it.
    pub fn run(self, request: Request) -> impl Future<Output = Response> + Send + 'a {
        let exchange = self.exchange;
        let outcome = self.pass(request);
        outcome.map(|outcome| outcome.unwrap_or_else(|fault| respond::to_fault(&fault, exchange)))
    }

    /// The same for a station that changes the answer when it is there, and waits for nothing else:
    /// it gives back what this gives. The answer is changed where it stands.
    pub fn then<F>(self, request: Request, change: F) -> BoxFuture<'a, Result<Response, Fault>>
    where
        F: FnOnce(&mut Response) -> Result<(), Fault> + Send + Unpin + 'a,
    {
        let exchange = self.exchange;
        Box::pin(Awaited {
            answer: self.pass(request),
            exchange,
            change: Some(change),
        })
    }

    /// The same for a station that does nothing with the answer: it gives back what this gives,
    /// and costs its requests no future of its own.
    #[expect(
        clippy::inline_always,
        reason = "a request is some hundred bytes, and each call on its way copies them"
    )]
    #[inline(always)]
    pub fn pass(self, request: Request) -> BoxFuture<'a, Result<Response, Fault>> {
        let Self {
            middlewares,
            endpoint,
            exchange,
        } = self;
        let Some((first, rest)) = middlewares.split_first() else {
            return endpoint.answer(request, exchange);
        };
        let next = Next::new(rest, endpoint, exchange);
        match exchange.trace() {
            None => first.handle(request, exchange, next),
            Some(trace) => next.traced(trace, first.as_ref(), request),
        }
    }

    /// Goes to a station within its span, where it has one.
    #[cold]
    fn traced(
        self,
        trace: &Trace,
        first: &'a dyn Middleware,
        request: Request,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(span) = trace.middleware(first.kind()) else {
            return first.handle(request, self.exchange, self);
        };
        let handled = span.in_scope(|| first.handle(request, self.exchange, self));
        Box::pin(handled.instrument(span))
    }
}

/// An answer that is changed when it is there.
struct Awaited<'a, F> {
    answer: BoxFuture<'a, Result<Response, Fault>>,
    exchange: &'a Exchange,
    /// `None` once that is done.
    change: Option<F>,
}

impl<F> Future for Awaited<'_, F>
where
    F: FnOnce(&mut Response) -> Result<(), Fault> + Unpin,
{
    type Output = Result<Response, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut outcome = ready!(this.answer.as_mut().poll(cx));
        if let Err(fault) = &outcome {
            outcome = Ok(respond::to_fault(fault, this.exchange));
        }
        let changed = match (&mut outcome, this.change.take()) {
            (Ok(response), Some(change)) => change(response),
            _ => Ok(()),
        };
        Poll::Ready(changed.and(outcome))
    }
}

/// What a station gives back that has its outcome at once.
pub(crate) fn decided<'a>(
    outcome: Result<Response, Fault>,
) -> BoxFuture<'a, Result<Response, Fault>> {
    Box::pin(ready(outcome))
}
