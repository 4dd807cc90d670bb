//! `rateLimit`: how many requests of one source may pass in a time. `buckets` counts in memory,
//! `shared` in Redis, where all gateways do; one that Redis cannot serve counts by itself.

use std::time::Duration;

use bytes::Bytes;
use carnet_config::duration;
use carnet_config::routing::middleware::{IpStrategy, RateLimit as Options, SourceCriterion};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::client_ip::Source;
use super::{Exchange, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::supplies::Supplies;

mod buckets;
mod shared;

use buckets::{Buckets, Rate};
use shared::Shared;

const X_RETRY_IN: HeaderName = HeaderName::from_static("x-retry-in");

/// The middleware.
#[derive(Debug)]
pub(super) struct RateLimit {
    /// `None`: nothing is limited.
    limit: Option<Limit>,
    source: Source,
}

#[derive(Debug)]
struct Limit {
    rate: Rate,
    own: Buckets,
    shared: Option<Shared>,
    denies_on_error: bool,
}

/// Redis could not be asked, and nobody may pass without.
struct Unknown;

impl RateLimit {
    /// `name` is qualified: gateways whose middlewares have the same count together. The error is
    /// one sentence.
    pub(super) fn new(name: &str, options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let by_address = SourceCriterion::IpStrategy(IpStrategy::default());
        let criterion = options.source_criterion.as_ref().unwrap_or(&by_address);
        let limit = Rate::new(options).map(|rate| {
            let redis = options.redis.as_ref();
            let shared = redis.map(|redis| Shared::new(name, rate, redis, supplies));
            Ok::<_, String>(Limit {
                rate,
                own: Buckets::new(rate, supplies.random.as_ref()),
                shared: shared.transpose()?,
                denies_on_error: redis.is_some_and(|redis| redis.deny_on_error),
            })
        });
        Ok(Self {
            limit: limit.transpose()?,
            source: Source::new(criterion)?,
        })
    }
}

impl Limit {
    /// How long a request of this source is to wait, as all gateways count.
    async fn wait(&self, shared: &Shared, source: &[u8]) -> Result<Duration, Unknown> {
        match shared.take(source).await {
            Ok(wait) => Ok(wait),
            Err(_) if self.denies_on_error => Err(Unknown),
            Err(_) => Ok(self.own.take(source)),
        }
    }

    async fn pass(
        &self,
        wait: Result<Duration, Unknown>,
        request: Request,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        match wait {
            Err(Unknown) => return Ok(unknown()),
            Ok(wait) if wait > self.rate.patience => return Ok(too_many(wait)),
            Ok(Duration::ZERO) => {}
            Ok(wait) => tokio::time::sleep(wait).await,
        }
        Ok(next.run(request).await)
    }
}

/// Traefik's answer to who comes too often.
fn too_many(wait: Duration) -> Response {
    let mut response = Response::new(Body::from("Too Many Requests"));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    let exactly = Bytes::from(duration::text(wait));
    if let Ok(exactly) = HeaderValue::from_maybe_shared(exactly) {
        headers.insert(X_RETRY_IN, exactly);
    }
    response
}

/// Traefik's answer where Redis does not answer.
fn unknown() -> Response {
    let mut response = Response::new(Body::from("Could not insert/update bucket\n"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, plain);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl Middleware for RateLimit {
    fn kind(&self) -> &'static str {
        "rateLimit"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(limit) = &self.limit else {
            return next.pass(request);
        };
        let source = self.source.of(&request, exchange);
        let Some(shared) = &limit.shared else {
            return match limit.own.take(&source) {
                Duration::ZERO => next.pass(request),
                wait => Box::pin(limit.pass(Ok(wait), request, next)),
            };
        };
        Box::pin(async move {
            let wait = limit.wait(shared, &source).await;
            limit.pass(wait, request, next).await
        })
    }
}
