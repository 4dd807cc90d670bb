//! `contentType`: answers without a type get that of their content, which `sniff.rs` tells.

use carnet_config::routing::middleware::ContentType as Options;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};

use super::{Exchange, Middleware, Next};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::service::peeked;

mod sniff;

/// The middleware.
#[derive(Debug)]
pub(super) struct ContentType(pub(super) Options);

impl Middleware for ContentType {
    fn kind(&self) -> &'static str {
        "contentType"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        if !self.0.auto_detect || *request.method() == Method::HEAD {
            return next.pass(request);
        }
        let answer = next.run(request);
        Box::pin(async move {
            let response = answer.await;
            Ok(match is_unnamed(&response) {
                true => named(response).await,
                false => response,
            })
        })
    }
}

/// Whether there is content without a type. What is packed says nothing of what it holds.
fn is_unnamed(response: &Response) -> bool {
    let (status, headers) = (response.status(), response.headers());
    let has_content = !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED;
    let is_packed = headers.get(CONTENT_ENCODING).is_some_and(|c| !c.is_empty());
    has_content && !is_packed && !headers.contains_key(CONTENT_TYPE)
}

async fn named(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let (first, body) = peeked(body).await;
    if let Some(first) = first {
        let media_type = HeaderValue::from_static(sniff::media_type(&first));
        head.headers.insert(CONTENT_TYPE, media_type);
    }
    Response::from_parts(head, body)
}
