//! `buffering`: reads bodies to their end before they go on, up to a size, and may send a request
//! again. Bodies stay in memory, in the share of it that large requests may take (ADR 0030).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carnet_config::routing::middleware::Buffering as Options;
use carnet_config::routing::middleware::buffering::Attempt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};

use super::{Exchange, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::respond;
use crate::room::Room;
use crate::service::{Collected, Repeatable, Unread, collect, read};
use crate::supplies::Supplies;

/// A request is sent so often at most, whatever `retryExpression` says. Traefik's.
const MOST: u32 = 10;

/// The middleware.
#[derive(Debug)]
pub(super) struct Buffering {
    options: Options,
    room: Arc<Room>,
}

/// A request as it is sent.
enum Source {
    Kept(Box<Repeatable>),
    /// Once, up to a size; and whether it was larger.
    Streamed(Option<Box<Request>>, Arc<AtomicBool>),
}

impl Buffering {
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Self {
        Self {
            options: options.clone(),
            room: Arc::clone(&supplies.room),
        }
    }

    async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let limit = limit(self.options.max_request_body_bytes);
        if request.body().size_hint().lower() > limit as u64 {
            return Ok(refusal());
        }
        let mut source = match self.source(request, limit).await {
            Ok(source) => source,
            Err(fault) if fault.reason() == Reason::BodyTooLarge => return Ok(refusal()),
            Err(fault) => return Err(fault),
        };
        let mut sent = 0;
        while let Some(request) = source.request() {
            sent += 1;
            let response = next.run(request).await;
            if source.was_too_large() {
                return Ok(refusal());
            }
            let response = self.whole(response).await?;
            if !self.is_repeated(sent, &response, &source) {
                return Ok(response);
            }
            drop(response);
            exchange.note(|record| {
                record.fault = None;
                record.retry_attempts += 1;
            });
        }
        Err(Fault::new(Reason::Internal).because("a request was not kept"))
    }

    async fn source(&self, request: Request, limit: usize) -> Result<Source, Fault> {
        if self.options.disable_request_buffer {
            return Ok(Source::streamed(request, limit));
        }
        match collect(request, limit, &self.room).await? {
            Collected::Whole(kept) => Ok(Source::Kept(Box::new(kept))),
            Collected::Streamed(_, fault) => Err(fault),
        }
    }

    /// The answer with its body read to the end.
    async fn whole(&self, response: Response) -> Result<Response, Fault> {
        let limit = limit(self.options.max_response_body_bytes);
        if response.body().size_hint().lower() > limit as u64 {
            return Ok(too_large());
        }
        let is_tunnel = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if is_tunnel || self.options.disable_response_buffer {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let (_, share, outcome) = read(body, limit, &self.room).await;
        match outcome {
            Ok(kept) => {
                let held = move |frame| {
                    let _share = &share;
                    frame
                };
                Ok(Response::from_parts(head, kept.whole().passed(held)))
            }
            Err(Unread::Refused(_, fault)) if fault.reason() == Reason::BodyTooLarge => {
                Ok(too_large())
            }
            Err(Unread::Refused(_, fault)) => Err(fault),
            Err(Unread::Failed(error)) => Err(Fault::new(Reason::UpstreamBroken).because(error)),
        }
    }

    fn is_repeated(&self, sent: u32, response: &Response, source: &Source) -> bool {
        let Some(expression) = &self.options.retry_expression else {
            return false;
        };
        let status = response.status().as_u16();
        let value = |attempt: &Attempt| match attempt {
            Attempt::Attempts => f64::from(sent),
            Attempt::ResponseCode => f64::from(status),
            Attempt::IsNetworkError => f64::from(u8::from(matches!(status, 502 | 504))),
        };
        let may_be = sent <= MOST && matches!(source, Source::Kept(_));
        may_be && expression.condition.holds(&value)
    }
}

impl Source {
    fn streamed(request: Request, limit: usize) -> Self {
        let was_too_large = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&was_too_large);
        let request = request.map(|body| match limit {
            usize::MAX => body,
            _ => Body::stream(Limited::new(body, limit).map_err(move |error| {
                note.store(true, Ordering::Release);
                error
            })),
        });
        Self::Streamed(Some(Box::new(request)), was_too_large)
    }

    fn request(&mut self) -> Option<Request> {
        match self {
            Self::Kept(kept) => Some(kept.request()),
            Self::Streamed(request, _) => request.take().map(|request| *request),
        }
    }

    fn was_too_large(&self) -> bool {
        match self {
            Self::Kept(_) => false,
            Self::Streamed(_, was_too_large) => was_too_large.load(Ordering::Acquire),
        }
    }
}

/// Zero is without end.
fn limit(bytes: u64) -> usize {
    match bytes {
        0 => usize::MAX,
        _ => usize::try_from(bytes).unwrap_or(usize::MAX),
    }
}

/// The answer in the place of one that is too large.
fn too_large() -> Response {
    respond::with_status(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to a request that is too large, in words that HTTP had once.
fn refusal() -> Response {
    let mut response = respond::with_status(StatusCode::PAYLOAD_TOO_LARGE);
    *response.body_mut() = Body::from("Request Entity Too Large");
    response
}

impl Middleware for Buffering {
    fn kind(&self) -> &'static str {
        "buffering"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(self.pass(request, exchange, next))
    }
}
