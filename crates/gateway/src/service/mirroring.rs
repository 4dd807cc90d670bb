//! `mirroring`: one service answers, others get copies of its requests. A copy waits for nobody and
//! nobody waits for it: the body is kept while it is read by the service that answers, and what
//! would be too much is not copied.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use carnet_config::routing::service;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::headers::{CREDENTIALS, KeepForwardedFor, drop_minted_token};
use super::repeatable::{Kept, PIECE};
use crate::body::{Body, BodyError, Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange};
use crate::room::{Room, Share};
use crate::seldom::Seldom;

/// Copies that are under way at once; more are not sent.
const AT_ONCE: usize = 256;
/// The longest that a copy may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A service and its mirrors.
#[derive(Debug)]
pub(crate) struct Mirroring {
    main: Arc<dyn Endpoint>,
    mirrors: Arc<Mirrors>,
    mirrors_body: bool,
    /// Largest body that is copied.
    limit: usize,
    reports_health: bool,
    room: Arc<Room>,
}

#[derive(Debug)]
struct Mirrors {
    all: Vec<Mirror>,
    counts: Mutex<Counts>,
    under_way: AtomicUsize,
    trouble: Seldom,
}

#[derive(Debug)]
struct Mirror {
    endpoint: Arc<dyn Endpoint>,
    percent: u64,
    credentials: bool,
}

/// How many requests there were, and how many of them each mirror got.
#[derive(Debug)]
struct Counts {
    requests: u64,
    copies: Vec<u64>,
}

impl Mirroring {
    /// `mirrors` are those of the options, in order. The error is one sentence.
    pub(crate) fn new(
        options: &service::Mirroring,
        main: &Arc<dyn Endpoint>,
        mirrors: &[Arc<dyn Endpoint>],
        room: &Arc<Room>,
    ) -> Result<Self, String> {
        if options.health_check && !main.reports_health() {
            let name = &options.service;
            return Err(format!("its service `{name}` has no healthCheck"));
        }
        let all = options.mirrors.iter().zip(mirrors);
        let all = all.map(|(options, endpoint)| Mirror {
            endpoint: Arc::clone(endpoint),
            percent: options.percent,
            credentials: options.credentials,
        });
        let limit = options.max_body_size;
        Ok(Self {
            main: Arc::clone(main),
            mirrors: Arc::new(Mirrors {
                all: all.collect(),
                counts: Mutex::new(Counts {
                    requests: 0,
                    copies: vec![0; mirrors.len()],
                }),
                under_way: AtomicUsize::new(0),
                trouble: Seldom::default(),
            }),
            mirrors_body: options.mirror_body,
            limit: limit.map_or(usize::MAX, |limit| {
                usize::try_from(limit).unwrap_or(usize::MAX)
            }),
            reports_health: options.health_check,
            room: Arc::clone(room),
        })
    }

    /// The request with its copy, which goes out when its body has been read.
    fn copied(&self, request: Request, exchange: &Exchange) -> (Request, Option<Duplicate>) {
        let chosen = self.mirrors.chosen();
        if chosen.is_empty() {
            return (request, None);
        }
        let (head, body) = request.into_parts();
        let duplicate = Duplicate {
            head: head.clone(),
            exchange: exchange.apart(),
            chosen,
            mirrors: Arc::clone(&self.mirrors),
            kept: Kept::default(),
            share: self.room.nothing(),
        };
        if body.is_end_stream() || !self.mirrors_body {
            return (Request::from_parts(head, body), Some(duplicate));
        }
        let body = Body::stream(Tee {
            body,
            duplicate: Some(Box::new(duplicate)),
            limit: self.limit,
        });
        (Request::from_parts(head, body), None)
    }
}

impl Mirrors {
    /// The mirrors that get a copy of this request: as many as their share says, evenly.
    fn chosen(&self) -> Vec<usize> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.requests += 1;
        let requests = counts.requests;
        let mut chosen = Vec::new();
        for (index, mirror) in self.all.iter().enumerate() {
            if counts.copies[index] * 100 < requests * mirror.percent {
                counts.copies[index] += 1;
                chosen.push(index);
            }
        }
        chosen
    }
}

/// A copy of a request in the making.
struct Duplicate {
    head: Parts,
    exchange: Exchange,
    chosen: Vec<usize>,
    mirrors: Arc<Mirrors>,
    kept: Kept,
    share: Share,
}

impl Duplicate {
    /// Sends it to its mirrors. Outside of a runtime there is nobody to send it.
    fn send(self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let mirrors = &self.mirrors;
        if mirrors.under_way.fetch_add(1, Ordering::AcqRel) >= AT_ONCE {
            mirrors.under_way.fetch_sub(1, Ordering::AcqRel);
            mirrors.trouble.tell(|untold| {
                tracing::warn!(untold, "a request is not mirrored: too many are under way");
            });
            return;
        }
        runtime.spawn(async move {
            let _place = Place(Arc::clone(&self.mirrors));
            // What a mirror answers, and whether it does, is nobody's concern.
            let _ = tokio::time::timeout(LIMIT, self.sent()).await;
        });
    }

    async fn sent(self) {
        for index in &self.chosen {
            let mirror = &self.mirrors.all[*index];
            let request = self.request(mirror.credentials);
            if let Ok(response) = mirror.endpoint.answer(request, &self.exchange).await {
                drain(response.into_body()).await;
            }
        }
        drop(self.share);
    }

    /// Credentials are for the service of the route, unless its author says otherwise; a token that
    /// the gateway fetched always is. What switches a connection to another protocol is the
    /// client's and stays there.
    fn request(&self, credentials: bool) -> Request {
        let body = self.kept.clone().whole();
        let is_empty = body.is_end_stream();
        let mut request = Request::from_parts(self.head.clone(), body);
        drop_minted_token(&mut request);
        let keeps = request.extensions_mut().remove::<KeepForwardedFor>();
        request.extensions_mut().clear();
        keeps.map(|keeps| request.extensions_mut().insert(keeps));
        let headers = request.headers_mut();
        headers.remove(EXPECT);
        if !credentials {
            CREDENTIALS
                .iter()
                .for_each(|name| drop(headers.remove(name)));
        }
        if is_empty {
            headers.remove(CONTENT_LENGTH);
        }
        request
    }

    /// Whether there is room for it.
    fn keep(&mut self, frame: Frame<Bytes>, limit: usize) -> bool {
        let cost = frame.data_ref().map_or(0, Bytes::len) + PIECE;
        let grown = self.share.grow(cost);
        self.kept.push(frame);
        grown.is_ok() && self.kept.length() <= limit
    }
}

/// One of the copies under way, until it is dropped.
struct Place(Arc<Mirrors>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Reads an answer to its end, so that its connection can be used again.
async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// A body that is copied while it is read.
struct Tee {
    body: Body,
    duplicate: Option<Box<Duplicate>>,
    limit: usize,
}

impl Tee {
    fn saw(&mut self, frame: &Frame<Bytes>) {
        let Some(duplicate) = &mut self.duplicate else {
            return;
        };
        let copied = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Frame::data(data.clone()),
            (None, Some(trailers)) => Frame::trailers(trailers.clone()),
            (None, None) => return,
        };
        if !duplicate.keep(copied, self.limit) {
            self.duplicate = None;
        }
    }

    fn ended(&mut self) {
        if let Some(duplicate) = self.duplicate.take() {
            duplicate.send();
        }
    }
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.saw(frame);
                if this.body.is_end_stream() {
                    this.ended();
                }
            }
            Poll::Ready(None) => this.ended(),
            Poll::Ready(Some(Err(_))) => this.duplicate = None,
            Poll::Pending => {}
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

impl Endpoint for Mirroring {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let (request, duplicate) = self.copied(request, exchange);
        let answer = self.main.answer(request, exchange);
        if let Some(duplicate) = duplicate {
            duplicate.send();
        }
        answer
    }

    fn is_up(&self) -> bool {
        self.main.is_up()
    }

    fn reports_health(&self) -> bool {
        self.reports_health
    }
}
