//! `encodedCharacters`: which encoded characters a path may hold.

use carnet_config::routing::middleware::EncodedCharacters as Options;
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::{Exchange, Middleware, Next, decided};
use crate::body::{Body, Request, Response};
use crate::error::Fault;

/// The middleware.
#[derive(Debug)]
pub(super) struct EncodedCharacters(pub(super) Options);

impl Middleware for EncodedCharacters {
    fn kind(&self) -> &'static str {
        "encodedCharacters"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(encoded) = self.0.forbidden_in(request.uri().path()) else {
            return next.pass(request);
        };
        tracing::debug!(encoded, "the path holds what this route does not allow");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        decided(Ok(response))
    }
}
