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
use crate::metrics::Metrics;
use crate::middleware::{Connection, Exchange, Next};
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

/// A request on its way to its route, with what it may take until there is an answer; or the answer
/// that it got before.
type Onward = Result<(Request, Span, Option<Share>), Response>;

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

    /// Answers a request.
    pub(super) async fn answer(
        &self,
        request: http::Request<Incoming>,
        visitor: &Visitor,
        in_flight: InFlight,
    ) -> http::Response<Answer> {
        let waits = waits_for_its_body(&request);
        let can_close = request.version() < Version::HTTP_2;
        // Dropped without an answer when the client leaves first: the line says so.
        let (request, rest) = Rest::of(request);
        let (mut line, onward) = self.enter(request, visitor, &in_flight);
        let mut response = match onward {
            Ok((request, span, _share)) => follow(request, span, line.exchange()).await,
            Err(answer) => answer,
        };
        let breaks = match &rest {
            _ if waits => line
                .exchange()
                .noted(|record| record.origin_status.is_none()),
            Some(rest) => !Box::pin(rest.is_little()).await,
            None => false,
        };
        let is_spent = in_flight.is_last() || !in_flight.has_room();
        let is_last = can_close && (is_spent || self.is_left.load(Ordering::Relaxed));
        if breaks || is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        line.answered(&response);
        response.map(|body| Answer {
            body,
            line,
            _rest: rest,
            _in_flight: in_flight,
        })
    }

    /// Takes the request in and finds its route. All that needs no waiting is here, so that the
    /// future that waits holds little.
    fn enter(
        &self,
        mut request: Request,
        visitor: &Visitor,
        in_flight: &InFlight,
    ) -> (Box<Line>, Onward) {
        let house = &*self.house;
        let count = house.count.next();
        let connection = Arc::clone(&visitor.connection);
        let exchange = Exchange::new(connection, count, house.clock.now());
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
        // Boxed: it goes with the answer's body from hand to hand.
        let mut line = Box::new(Line::begin(watchers, &mut request, exchange));
        let found = match admitted {
            Ok(host) => {
                let found = self.find(&request, &host, &mut line);
                let found = found.and_then(|span| Ok((span, house.room.share(&request)?)));
                found.map_err(|fault| respond::to_fault(&fault, line.exchange()))
            }
            Err(fault) => Err(refuse(&request, fault, line.exchange())),
        };
        let onward = found.map(|(span, share)| (request, span, share));
        (line, onward)
    }

    /// Finds the route and tells it to the line. Gives the span of the way there.
    fn find(&self, request: &Request, host: &str, line: &mut Line) -> Result<Span, Fault> {
        let snapshot = self.house.snapshots.look();
        let connection = line.exchange().connection();
        let facts = Facts::new(request, host, connection.peer.ip());
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

/// Follows the route that was found.
async fn follow(request: Request, span: Span, exchange: &Exchange) -> Response {
    let chain = exchange.route().map(|route| &route.chain);
    let Some(Chain::Open {
        middlewares,
        endpoint,
    }) = chain
    else {
        return respond::to_fault(&Fault::new(Reason::RouterClosed), exchange);
    };
    let next = Next::new(middlewares, endpoint.as_ref(), exchange);
    match span.is_none() {
        true => whole(|| next.run(request), exchange).await,
        false => {
            let traced = whole(|| next.run(request), exchange).instrument(span);
            Box::pin(traced).await
        }
    }
}

/// A defect in a station costs its request a 500, and nobody else anything.
async fn whole<F: Future<Output = Response>>(
    answer: impl FnOnce() -> F,
    exchange: &Exchange,
) -> Response {
    let outcome = match catch_unwind(AssertUnwindSafe(answer)) {
        Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await,
        Err(panic) => Err(panic),
    };
    outcome.unwrap_or_else(|_| respond::to_fault(&Fault::new(Reason::Internal), exchange))
}

/// Whether the client sends the body only when it is told to. Nobody knows what it sends next when
/// it gets a final answer instead (RFC 9110 section 10.1.1).
fn waits_for_its_body(request: &http::Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && request.headers().contains_key(EXPECT)
        && !request.body().is_end_stream()
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
    line: Box<Line>,
    /// After the body, which may hold an upload.
    _rest: Option<Rest>,
    _in_flight: InFlight,
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
                (Some(data), _) => this.line.sent(data.len()),
                (None, Some(trailers)) => this.line.told(trailers),
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
    use std::future::Ready;
    use std::time::UNIX_EPOCH;

    use super::*;

    // Holds F29.
    #[tokio::test]
    async fn a_panic_is_a_500() {
        let peer = "10.1.1.1:5000".parse().unwrap();
        let connection = Connection::new("web".into(), peer, None);
        let exchange = Exchange::new(connection.into(), 1, UNIX_EPOCH);
        let late = whole(|| async { panic!("a defect") }, &exchange).await;
        let early = whole(|| -> Ready<Response> { panic!("a defect") }, &exchange).await;
        for response in [late, early] {
            assert_eq!(response.status(), http::StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert_eq!(
            exchange.noted(|record| record.fault),
            Some(Reason::Internal)
        );
    }
}
