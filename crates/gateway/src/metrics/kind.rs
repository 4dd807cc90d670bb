//! Kinds of requests: labels whose values are few, whatever is sent.

use std::sync::Arc;

use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderName, UPGRADE};
use http::{HeaderMap, Method};

/// What stands for methods that nobody knows. Traefik's word.
const EXTENSION_METHOD: &str = "EXTENSION_METHOD";

/// What requests have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// The status of the answer; of gRPC its own.
    pub(super) code: u16,
    pub(super) method: &'static str,
    pub(super) protocol: Protocol,
    /// Values of `headerLabels`, in the order of the labels.
    pub(super) headers: Headers,
}

/// Values of request headers that are labels; `None` where there are no such labels.
pub(super) type Headers = Option<Arc<[String]>>;

/// What is spoken inside of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    Http,
    WebSocket,
    Sse,
    Grpc,
    GrpcWeb,
}

impl Protocol {
    /// Traefik's way to tell.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let content = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let begins = |start: &[u8]| content.is_some_and(|content| content.starts_with(start));
        if has_item(headers, &UPGRADE, "websocket") && has_item(headers, &CONNECTION, "upgrade") {
            Self::WebSocket
        } else if has_item(headers, &ACCEPT, "text/event-stream") {
            Self::Sse
        } else if begins(b"application/grpc-web") {
            Self::GrpcWeb
        } else if begins(b"application/grpc") {
            Self::Grpc
        } else {
            Self::Http
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc-web",
        }
    }

    pub(super) fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::GrpcWeb)
    }
}

/// Whether the first field of this name has an item, whatever its case.
fn has_item(headers: &HeaderMap, name: &HeaderName, item: &str) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let mut items = value.split(',');
        items.any(|there| there.trim().eq_ignore_ascii_case(item))
    })
}

/// The name of a method, one of few.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => EXTENSION_METHOD,
    }
}
