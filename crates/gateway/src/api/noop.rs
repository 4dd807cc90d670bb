//! `noop@internal`: a service for routers whose middlewares always answer.

use futures_util::future::BoxFuture;
use http::StatusCode;

use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange};

/// Answers 418.
#[derive(Debug)]
pub(crate) struct Noop;

impl Endpoint for Noop {
    fn answer<'a>(&'a self, _: Request, _: &'a Exchange) -> BoxFuture<'a, Result<Response, Fault>> {
        let mut response = Response::new(Body::from("I'm a teapot"));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        Box::pin(async move { Ok(response) })
    }
}
