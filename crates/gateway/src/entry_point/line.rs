//! The way of a request through the house: admit, load, find, chain, answer, log. Read this first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use carnet_config::install::EntryPoint;
use carnet_oauth::Clock;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Method, StatusCode, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tracing::{Instrument as _, Span};

use super::admit::admit;
use super::numbering::Numbering;
use super::rest::Rest;
use super::traffic::InFlight;
use crate::access_log::{AccessLog, Line, Watchers};
use crate::body::{Body, BodyError, Request, Response};
use crate::error::{Fault, Reason};
use crate::host;
use crate::metrics::Metrics;
use crate::middleware::{Connection, Exchange, Next, decided};
use crate::respond;
use crate::room::{Room, Share};
use crate::router::Facts;
use crate::seldom::Seldom;
use crate::snapshot::{Chain, SnapshotHandle};
use crate::tls::acme::Challenges;
use crate::traces::Tracer;

/// What all entry points share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) snapshots: Arc<SnapshotHandle>,
    /// Answers to authorities for certificates.
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) access_log: Option<AccessLog>,
    /// `None`: nothing is traced.
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// `None`: nothing is counted.
    pub(crate) metrics: Option<Arc<Metrics>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What large requests may take.
    pub(crate) room: Arc<Room>,
    /// Name of this machine, as headers tell it.
    pub(crate) hostname: HeaderValue,
    /// Requests since the start.
    pub(crate) count: Numbering,
}

/// An entry point, as its connections need it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) name: Arc<str>,
    pub(super) options: EntryPoint,
    pub(super) house: Arc<House>,
    /// Who is told of its requests.
    pub(super) watchers: Watchers,
    /// Connections that could not be accepted.
    pub(super) trouble: Seldom,
    /// Each answer of HTTP/1 is the last one of its connection.
    pub(super) is_left: AtomicBool,
}

/// A connection, as its requests hold on to it: they share it with nobody else.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) connection: Arc<Connection>,
    pub(super) watchers: Arc<Watchers>,
    /// Name of this machine.
    pub(super) hostname: HeaderValue,
}

/// A request on its way to its route, with the span of that way and what it may take until there is
/// an answer; or the answer that it got before.
type Onward = Result<(Request, Span, Option<Share>), Response>;

/// A request that came in. What it holds lasts until the last byte of its answer, and is dropped
/// after the answer's body, which may hold an upload.
#[derive(Debug)]
pub(super) struct Entered {
    line: Line,
    rest: Option<Rest>,
    in_flight: InFlight,
    /// Until it goes on.
    onward: Option<Onward>,
    /// Whether the client sends the body only when it is told to.
    waits: bool,
    /// Whether its connection can end with its answer.
    can_close: bool,
}

impl Door {
    /// What the requests of a connection hold on to.
    pub(super) fn visitor(&self, connection: Connection) -> Visitor {
        // A copy: clones of a value count themselves in what they share.
        let hostname = HeaderValue::from_bytes(self.house.hostname.as_bytes());
        Visitor {
            connection: Arc::new(connection),
            watchers: Arc::new(self.watchers.clone()),
            hostname: hostname.unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// Takes a request in and finds its route. All that needs no waiting is here, so that the future
    /// that waits holds little.
    pub(super) fn enter(
        &self,
        request: http::Request<Incoming>,
        visitor: &Visitor,
        in_flight: InFlight,
    ) -> Box<Entered> {
        let house = &*self.house;
        let waits = waits_for_its_body(&request);
        let count = house.count.next();
        let connection = Arc::clone(&visitor.connection);
        let exchange = Exchange::new(connection, count, house.clock.now());
        let (mut request, rest) = Rest::of(request);
        let admitted = match in_flight.has_room() {
            true => admit(
                &mut request,
                exchange.connection(),
                &self.options,
                &visitor.hostname,
            ),
            false => Err(Fault::new(Reason::NoRoom)),
        };
        let watchers = Arc::clone(&visitor.watchers);
        // Boxed: it goes with the answer's body from hand to hand. Dropped without an answer when
        // the client leaves first: the line says so.
        let mut entered = Box::new(Entered {
            line: Line::begin(watchers, &mut request, exchange),
            rest,
            in_flight,
            onward: None,
            waits,
            can_close: request.version() < Version::HTTP_2,
        });
        let line = &mut entered.line;
        entered.onward = Some(match admitted {
            Ok(host) => {
                let found = self.find(&request, &host, line);
                let found = found.and_then(|span| Ok((span, house.room.share(&request)?)));
                match found {
                    Ok((span, share)) => Ok((request, span, share)),
                    Err(fault) => Err(respond::to_fault(&fault, line.exchange())),
                }
            }
            Err(fault) => Err(refuse(&request, fault, line.exchange())),
        });
        entered
    }

    /// Answers a request that came in.
    pub(super) async fn answer(&self, mut entered: Box<Entered>) -> http::Response<Answer> {
        let onward = entered.onward.take();
        let exchange = entered.line.exchange();
        let (outcome, share) = begin(onward, exchange);
        let mut response = whole(outcome, exchange).await;
        drop(share);
        let breaks = match &entered.rest {
            _ if entered.waits => {
                let exchange = entered.line.exchange();
                exchange.noted(|record| record.origin_status.is_none())
            }
            Some(rest) => !Box::pin(rest.is_little()).await,
            None => false,
        };
        let in_flight = &entered.in_flight;
        let is_spent = in_flight.is_last() || !in_flight.has_room();
        let is_last = entered.can_close && (is_spent || self.is_left.load(Ordering::Relaxed));
        if breaks || is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        entered.line.answered(&response);
        response.map(|body| Answer { body, entered })
    }

    /// Finds the route and tells it to the line. Gives the span of the way there.
    fn find(&self, request: &Request, host: &HeaderValue, line: &mut Line) -> Result<Span, Fault> {
        let snapshot = self.house.snapshots.look();
        let connection = line.exchange().connection();
        let facts = Facts::new(request, host::text(host), connection.peer.ip());
        let found = snapshot.find(&self.name, connection.tls.as_deref(), &facts);
        drop(facts);
        if let Some(tracer) = &self.house.tracer {
            let route = found.as_ref().ok().map(|route| &****route);
            let trace = tracer.begin(request, line.exchange(), route);
            trace
                .into_iter()
                .for_each(|trace| line.exchange().traced(trace));
        }
        let route = found?;
        line.routed(route);
        let trace = line.exchange().trace();
        Ok(trace.map_or_else(Span::none, |trace| trace.way(&snapshot, route)))
    }
}

/// What a station comes to.
type Outcome<'a> = BoxFuture<'a, Result<Response, Fault>>;

/// Sends a request on, with what it may take until there is an answer.
fn begin(onward: Option<Onward>, exchange: &Exchange) -> (Outcome<'_>, Option<Share>) {
    match onward {
        Some(Ok((request, span, share))) => (follow(request, span, exchange), share),
        Some(Err(answer)) => (decided(Ok(answer)), None),
        None => (decided(Err(Fault::new(Reason::Internal))), None),
    }
}

/// Follows the route that was found.
fn follow(request: Request, span: Span, exchange: &Exchange) -> Outcome<'_> {
    let way = || match exchange.route().map(|route| &route.chain) {
        Some(Chain::Open {
            middlewares,
            endpoint,
        }) => Next::new(middlewares, endpoint.as_ref(), exchange).pass(request),
        _ => decided(Err(Fault::new(Reason::RouterClosed))),
    };
    match span.is_none() {
        true => begun(way),
        false => Box::pin(span.in_scope(|| begun(way)).instrument(span)),
    }
}

/// What a station begins. A defect in it costs its request a 500, and nobody else anything.
fn begun<'a>(begin: impl FnOnce() -> Outcome<'a>) -> Outcome<'a> {
    let begun = catch_unwind(AssertUnwindSafe(begin));
    begun.unwrap_or_else(|_| decided(Err(Fault::new(Reason::Internal))))
}

/// The same later on.
async fn whole(outcome: Outcome<'_>, exchange: &Exchange) -> Response {
    let outcome = AssertUnwindSafe(outcome).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Err(Fault::new(Reason::Internal)));
    outcome.unwrap_or_else(|fault| respond::to_fault(&fault, exchange))
}

/// Whether the client sends the body only when it is told to. Nobody knows what it sends next when
/// it gets a final answer instead (RFC 9110 section 10.1.1).
fn waits_for_its_body(request: &http::Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && !request.body().is_end_stream()
        && request.headers().contains_key(EXPECT)
}

/// The answer to a request that was not admitted. `OPTIONS *` asks about the gateway itself and is
/// told nothing, as Go does.
fn refuse(request: &Request, fault: Fault, exchange: &Exchange) -> Response {
    let is_general = *request.method() == Method::OPTIONS && request.uri().path() == "*";
    match is_general && request.version() == Version::HTTP_11 {
        true => Response::new(Body::empty()),
        false => respond::to_fault(&fault, exchange),
    }
}

/// The body of an answer, with what ends when it ends.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    entered: Box<Entered>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            match (frame.data_ref(), frame.trailers_ref()) {
                (Some(data), _) => this.entered.line.sent(data.len()),
                (None, Some(trailers)) => this.entered.line.told(trailers),
                (None, None) => {}
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::panic, clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    // Holds F29.
    #[tokio::test]
    async fn a_panic_is_a_500() {
        let peer = "10.1.1.1:5000".parse().unwrap();
        let connection = Connection::new("web".into(), peer, None);
        let exchange = Exchange::new(connection.into(), 1, UNIX_EPOCH);
        let late = whole(Box::pin(async { panic!("a defect") }), &exchange).await;
        let early = whole(begun(|| panic!("a defect")), &exchange).await;
        for response in [late, early] {
            assert_eq!(response.status(), http::StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert_eq!(
            exchange.noted(|record| record.fault),
            Some(Reason::Internal)
        );
    }
}
