//! `grpcWeb`: gRPC for browsers, which see no trailers (the gRPC-Web protocol). `cors.rs` tells them
//! who may ask, `text.rs` is the base64 of `application/grpc-web-text`, `frames.rs` puts the trailers
//! at the end of the body.

use carnet_config::routing::middleware::GrpcWeb as Options;
use futures_util::future::BoxFuture;
use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TE, TRAILER,
};
use http::{HeaderMap, HeaderValue, Method};

use super::{Exchange, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};

mod cors;
mod frames;
mod text;

use frames::Framed;

const GRPC: &str = "application/grpc";
const WEB: &str = "application/grpc-web";
const WEB_TEXT: &str = "application/grpc-web-text";

/// The middleware.
#[derive(Debug)]
pub(super) struct GrpcWeb(pub(super) Options);

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bytes,
    /// In base64.
    Text,
}

impl Form {
    /// The form of a request; `None`: it is of another protocol.
    fn of(request: &Request) -> Option<Self> {
        let media_type = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        match () {
            () if *request.method() != Method::POST => None,
            () if media_type.starts_with(WEB_TEXT) => Some(Self::Text),
            () if media_type.starts_with(WEB) => Some(Self::Bytes),
            () => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Bytes => WEB,
            Self::Text => WEB_TEXT,
        }
    }
}

/// The request as a gRPC server knows it.
fn inward(mut request: Request, form: Form) -> Result<Request, Fault> {
    let headers = request.headers_mut();
    exchange_type(headers, form.media_type(), GRPC)?;
    headers.remove(CONTENT_LENGTH);
    // A server says at the end how a call went.
    headers.insert(TE, HeaderValue::from_static("trailers"));
    Ok(match form {
        Form::Bytes => request,
        Form::Text => request.map(|body| Body::stream(text::Decoded::new(body))),
    })
}

/// The answer as a browser's client knows it.
fn outward(response: Response, form: Form) -> Result<Response, Fault> {
    let (mut head, body) = response.into_parts();
    exchange_type(&mut head.headers, GRPC, form.media_type())?;
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(TRAILER);
    expose(&mut head.headers)?;
    let status = in_head(&head.headers);
    let body = Framed::new(body, form, status);
    Ok(Response::from_parts(head, Body::stream(body)))
}

/// What a call that failed at once says in its head; it has no trailers then.
fn in_head(headers: &HeaderMap) -> HeaderMap {
    let mut status = HeaderMap::new();
    for name in ["grpc-status", "grpc-message"] {
        if let Some(value) = headers.get(name) {
            status.insert(HeaderName::from_static(name), value.clone());
        }
    }
    status
}

/// Scripts may read all of it.
fn expose(headers: &mut HeaderMap) -> Result<(), Fault> {
    let mut names: Vec<String> = headers.keys().map(crate::canonical::canonical).collect();
    names.extend(["grpc-status".to_owned(), "grpc-message".to_owned()]);
    let names = HeaderValue::try_from(names.join(", "));
    let names = names.map_err(|error| Fault::new(Reason::Internal).because(error))?;
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    Ok(())
}

/// `application/grpc-web+proto` as `application/grpc+proto`, and back.
fn exchange_type(headers: &mut HeaderMap, from: &str, to: &str) -> Result<(), Fault> {
    let Some(media_type) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return Ok(());
    };
    let media_type = HeaderValue::try_from(media_type.replacen(from, to, 1));
    let media_type = media_type.map_err(|error| Fault::new(Reason::BadRequest).because(error))?;
    headers.insert(CONTENT_TYPE, media_type);
    Ok(())
}

impl Middleware for GrpcWeb {
    fn kind(&self) -> &'static str {
        "grpcWeb"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            let asker = cors::Asker::of(request.headers(), &self.0.allow_origins);
            if cors::is_preflight(&request) {
                return Ok(asker.preflight(request.headers()));
            }
            let Some(form) = Form::of(&request) else {
                return Ok(next.run(request).await);
            };
            let response = next.run(inward(request, form)?).await;
            let mut response = outward(response, form)?;
            asker.answered(response.headers_mut());
            Ok(response)
        })
    }
}
