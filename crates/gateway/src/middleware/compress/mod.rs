//! `compress`: answers are packed for clients that can unpack them. `accept.rs` chooses the coding,
//! `packed.rs` packs piece by piece what comes, in bounded memory.

use carnet_config::routing::middleware::Compress as Options;
use carnet_config::routing::middleware::compress::{Encoding, media_type};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;

use super::{Exchange, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::service::has_token;

mod accept;
mod packed;

use packed::Packed;

/// Its messages have a coding of their own.
const GRPC: &str = "application/grpc";

/// The middleware.
#[derive(Debug)]
pub(super) struct Compress(pub(super) Options);

impl Compress {
    /// The coding for the answer to a request. `None`: it passes as it is.
    fn coding(&self, request: &Request) -> Option<Encoding> {
        let Self(options) = self;
        let headers = request.headers();
        let asked = typed(headers).is_some_and(|asked| self.is_excluded(&asked));
        if *request.method() == Method::HEAD || asked {
            return None;
        }
        match headers.contains_key(ACCEPT_ENCODING) {
            true => accept::choose(headers, options),
            false => options.default_encoding,
        }
    }

    fn is_excluded(&self, media_type: &str) -> bool {
        let excluded = &self.0.excluded_content_types;
        media_type == GRPC || excluded.iter().any(|excluded| excluded == media_type)
    }

    /// Whether an answer is worth it, and may be changed.
    fn is_packable(&self, response: &Response) -> bool {
        let Self(options) = self;
        let headers = response.headers();
        let has_content = !response.status().is_informational()
            && !matches!(
                response.status(),
                StatusCode::NO_CONTENT | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
            )
            && !response.body().is_end_stream();
        let is_whole = !headers.contains_key(CONTENT_RANGE)
            && headers.get(CONTENT_ENCODING).is_none_or(HeaderValue::is_empty)
            // RFC 9111 section 5.2.2.6.
            && !has_token(headers, &CACHE_CONTROL, "no-transform");
        let length = response.body().size_hint().exact();
        let is_large = length.is_none_or(|length| length >= options.min_response_body_bytes);
        has_content && is_whole && is_large && self.is_wanted(headers)
    }

    fn is_wanted(&self, headers: &HeaderMap) -> bool {
        let included = &self.0.included_content_types;
        match (headers.contains_key(CONTENT_TYPE), typed(headers)) {
            (false, _) => included.is_empty(),
            (true, None) => false,
            (true, Some(answered)) if included.is_empty() => !self.is_excluded(&answered),
            (true, Some(answered)) => included.contains(&answered),
        }
    }
}

/// The media type that a head names.
fn typed(headers: &HeaderMap) -> Option<String> {
    media_type(headers.get(CONTENT_TYPE)?.to_str().ok()?)
}

fn packed(response: Response, coding: Encoding) -> Response {
    let (mut head, body) = response.into_parts();
    for name in [CONTENT_LENGTH, ACCEPT_RANGES] {
        head.headers.remove(name);
    }
    let word = HeaderValue::from_static(coding.word());
    head.headers.insert(CONTENT_ENCODING, word);
    Response::from_parts(head, Body::stream(Packed::new(body, coding)))
}

/// Says that the answer depends on what the client can unpack, packed or not.
fn vary(headers: &mut HeaderMap) {
    let others: Vec<HeaderValue> = headers.get_all(VARY).iter().cloned().collect();
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    for other in others {
        headers.append(VARY, other);
    }
}

impl Middleware for Compress {
    fn kind(&self) -> &'static str {
        "compress"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(coding) = self.coding(&request) else {
            return next.pass(request);
        };
        let answer = next.run(request);
        Box::pin(answer.map(move |mut response| {
            vary(response.headers_mut());
            Ok(match self.is_packable(&response) {
                true => packed(response, coding),
                false => response,
            })
        }))
    }
}
