//! A request that can be sent twice: its body is kept in memory, up to a limit.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::body::{Body, BodyError, Request};
use crate::error::{Fault, Reason};

/// Reads the body of a request, of which at most `limit` bytes are kept, and gives the request
/// twice. A larger one comes back once, its rest still streamed.
pub(crate) async fn repeatable(
    request: Request,
    limit: usize,
) -> Result<(Request, Option<Request>), Fault> {
    let (head, mut body) = request.into_parts();
    let mut kept = Kept::default();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            break;
        };
        let frame = frame.map_err(|error| Fault::new(Reason::ClientGone).because(error))?;
        kept.push(frame);
        if kept.length > limit {
            let rest = Some(body);
            let body = Body::stream(Replay { kept, rest });
            return Ok((Request::from_parts(head, body), None));
        }
    }
    let again = Request::from_parts(head.clone(), kept.clone().whole());
    Ok((Request::from_parts(head, kept.whole()), Some(again)))
}

/// The first data of a body, and all of it.
pub(crate) async fn peeked(mut body: Body) -> (Option<Bytes>, Body) {
    let mut kept = Kept::default();
    while kept.length == 0 && !body.is_end_stream() {
        match body.frame().await {
            Some(Ok(frame)) => kept.push(frame),
            Some(Err(error)) => {
                let broken = futures_util::stream::iter([Err::<Frame<Bytes>, _>(error)]);
                return (None, Body::stream(http_body_util::StreamBody::new(broken)));
            }
            None => break,
        }
    }
    let first = kept.data.iter().find(|data| !data.is_empty()).cloned();
    let rest = Some(body);
    (first, Body::stream(Replay { kept, rest }))
}

/// What was read of a body.
#[derive(Clone, Default)]
struct Kept {
    data: VecDeque<Bytes>,
    length: usize,
    trailers: Option<HeaderMap>,
}

impl Kept {
    fn push(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                self.length += data.len();
                self.data.push_back(data);
            }
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }

    fn whole(self) -> Body {
        match (self.length, &self.trailers) {
            (0, None) => Body::empty(),
            _ => Body::stream(Replay {
                kept: self,
                rest: None,
            }),
        }
    }
}

/// What was kept, then what is still to come.
struct Replay {
    kept: Kept,
    rest: Option<Body>,
}

impl HttpBody for Replay {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(data) = this.kept.data.pop_front() {
            this.kept.length -= data.len();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(trailers) = this.kept.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match &mut this.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_kept = !self.kept.data.is_empty() || self.kept.trailers.is_some();
        !is_kept && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let kept = u64::try_from(self.kept.length).unwrap_or(u64::MAX);
        let Some(rest) = self.rest.as_ref().map(Body::size_hint) else {
            return SizeHint::with_exact(kept);
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(kept));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(kept));
        }
        hint
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    async fn text(request: Request) -> String {
        let body = request.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    fn post(body: &'static str) -> Request {
        Request::new(Body::from(body))
    }

    #[tokio::test]
    async fn a_small_body_is_there_twice() {
        let (first, again) = repeatable(post("hello"), 5).await.unwrap();
        assert_eq!(first.body().size_hint().exact(), Some(5));
        assert_eq!(text(first).await, "hello");
        assert_eq!(text(again.unwrap()).await, "hello");
        let (first, again) = repeatable(post(""), 0).await.unwrap();
        assert!(first.body().is_end_stream() && again.unwrap().body().is_end_stream());
    }

    #[tokio::test]
    async fn a_larger_one_is_whole_and_there_once() {
        let (first, again) = repeatable(post("hello"), 4).await.unwrap();
        assert!(again.is_none());
        assert_eq!(first.body().size_hint().exact(), Some(5));
        assert_eq!(text(first).await, "hello");
    }
}
