//! Bodies of requests and responses on their way through the gateway: streamed, never collected.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

use crate::upstream::{Reading, Tunnel};

/// A request on its way to a service.
pub type Request = http::Request<Body>;
/// A response on its way to the client.
pub type Response = http::Response<Body>;
/// Why a body broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// A body: bytes known beforehand, or a stream with trailers.
#[derive(Debug, Default)]
pub struct Body(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Incoming(Incoming),
    /// Of an answer of HTTP/1.1, with the connection that it comes over.
    Reading(Reading),
    /// None any more: another protocol is spoken.
    Tunnel(Box<Tunnel>),
    Stream(UnsyncBoxBody<Bytes, BodyError>),
}

impl Body {
    /// A body of nothing.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// The body of an answer, with the connection that it comes over.
    pub(crate) fn reading(body: Reading) -> Self {
        Self(Kind::Reading(body))
    }

    /// What follows an answer that switches protocols.
    pub(crate) fn tunnel(tunnel: Tunnel) -> Self {
        Self(Kind::Tunnel(Box::new(tunnel)))
    }

    /// The connection that the answer has switched to another protocol.
    pub(crate) fn into_tunnel(self) -> Option<Tunnel> {
        match self.0 {
            Kind::Tunnel(tunnel) => Some(*tunnel),
            _ => None,
        }
    }

    /// The same, with its bytes added up as they are read.
    pub(crate) fn counted(self, bytes: Arc<AtomicU64>) -> Self {
        self.passed(move |frame| {
            if let Some(data) = frame.data_ref() {
                bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
            frame
        })
    }

    /// The same, each frame through a function that leaves the length of the data as it is. What
    /// the function holds is dropped with the body.
    pub(crate) fn passed<F>(self, pass: F) -> Self
    where
        F: FnMut(Frame<Bytes>) -> Frame<Bytes> + Send + Unpin + 'static,
    {
        Self::stream(Passed { body: self, pass })
    }

    /// Any other stream as a body.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        Self(Kind::Stream(body.map_err(Into::into).boxed_unsync()))
    }
}

/// A body whose frames pass through somebody's hands, and whose length stays what it is.
struct Passed<F> {
    body: Body,
    pass: F,
}

impl<F> HttpBody for Passed<F>
where
    F: FnMut(Frame<Bytes>) -> Frame<Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        polled.map_ok(&mut this.pass)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Self(Kind::Incoming(body))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        match bytes.is_empty() {
            true => Self::empty(),
            false => Self(Kind::Full(bytes)),
        }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let kind = &mut self.get_mut().0;
        match kind {
            Kind::Empty | Kind::Tunnel(_) => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *kind = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Reading(body) => Pin::new(body).poll_frame(cx),
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty | Kind::Tunnel(_) => true,
            Kind::Full(_) => false,
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Reading(body) => body.is_end_stream(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty | Kind::Tunnel(_) => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Reading(body) => body.size_hint(),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}
