//! A request that can be sent several times: its body is kept in memory, up to a limit, and takes
//! its share of what large requests may take together.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::body::{Body, BodyError, Request};
use crate::error::{Fault, Reason};
use crate::room::{Room, Share};

/// What a piece of a body costs besides its bytes.
pub(super) const PIECE: usize = 64;

/// A request whose body was read.
pub(crate) enum Collected {
    /// All of it.
    Whole(Repeatable),
    /// Not all of it: the request once, its rest still streamed, and why it was not kept.
    Streamed(Request, Fault),
}

/// A request that is there as often as it is wanted.
pub(crate) struct Repeatable {
    head: Parts,
    kept: Kept,
    share: Share,
}

impl Repeatable {
    /// The request once more.
    pub(crate) fn request(&self) -> Request {
        Request::from_parts(self.head.clone(), self.kept.clone().whole())
    }

    /// Its body.
    pub(crate) fn bytes(&self) -> Bytes {
        self.kept.data.iter().flatten().copied().collect()
    }

    /// The request for the last time, and the memory that its body takes.
    pub(crate) fn last(self) -> (Request, Share) {
        (
            Request::from_parts(self.head, self.kept.whole()),
            self.share,
        )
    }
}

/// Reads the body of a request, of which at most `limit` bytes are kept. The fault of a larger one
/// is [`Reason::BodyTooLarge`], where there is no room it is [`Reason::NoRoom`].
pub(crate) async fn collect(
    request: Request,
    limit: usize,
    room: &Arc<Room>,
) -> Result<Collected, Fault> {
    let (head, body) = request.into_parts();
    let (body, share, outcome) = read(body, limit, room).await;
    Ok(match outcome {
        Ok(kept) => Collected::Whole(Repeatable { head, kept, share }),
        Err(Unread::Failed(error)) => return Err(Fault::new(Reason::ClientGone).because(error)),
        Err(Unread::Refused(kept, fault)) => {
            let body = Body::stream(Replay {
                kept,
                rest: Some(body),
            });
            Collected::Streamed(Request::from_parts(head, body), fault)
        }
    })
}

/// Why a body was not read to its end.
pub(crate) enum Unread {
    /// It broke off.
    Failed(BodyError),
    /// It is too large, with what was read of it.
    Refused(Kept, Fault),
}

/// Reads a body, of which at most `limit` bytes are kept. What is left of it comes back, and the
/// share of memory that is taken.
pub(crate) async fn read(
    mut body: Body,
    limit: usize,
    room: &Arc<Room>,
) -> (Body, Share, Result<Kept, Unread>) {
    let (mut kept, mut share) = (Kept::default(), room.nothing());
    while !body.is_end_stream() {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return (body, share, Err(Unread::Failed(error))),
            None => break,
        };
        let before = kept.length;
        kept.push(frame);
        let refused = match kept.length > limit {
            true => Err(Fault::new(Reason::BodyTooLarge)),
            false => share.grow(kept.length - before + PIECE),
        };
        if let Err(fault) = refused {
            return (body, share, Err(Unread::Refused(kept, fault)));
        }
    }
    (body, share, Ok(kept))
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
pub(crate) struct Kept {
    data: VecDeque<Bytes>,
    length: usize,
    trailers: Option<HeaderMap>,
}

impl Kept {
    /// Bytes of it.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                self.length += data.len();
                self.data.push_back(data);
            }
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }

    /// The body that was read.
    pub(crate) fn whole(self) -> Body {
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
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    async fn text(request: Request) -> String {
        let body = request.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    fn post(body: &'static str) -> Request {
        Request::new(Body::from(body))
    }

    async fn collected(body: &'static str, limit: usize, room: &Arc<Room>) -> Collected {
        collect(post(body), limit, room).await.unwrap()
    }

    fn without_end() -> Arc<Room> {
        Room::of(None)
    }

    #[tokio::test]
    async fn a_small_body_is_there_as_often_as_it_is_wanted() {
        let Collected::Whole(hello) = collected("hello", 5, &without_end()).await else {
            panic!("it is small enough");
        };
        for _ in 0..3 {
            let request = hello.request();
            assert_eq!(request.body().size_hint().exact(), Some(5));
            assert_eq!(text(request).await, "hello");
        }
        assert_eq!(text(hello.last().0).await, "hello");
        let Collected::Whole(nothing) = collected("", 0, &without_end()).await else {
            panic!("there is nothing to keep");
        };
        assert!(nothing.request().body().is_end_stream());
    }

    #[tokio::test]
    async fn a_larger_one_is_whole_and_there_once() {
        let Collected::Streamed(first, fault) = collected("hello", 4, &without_end()).await else {
            panic!("it is too large");
        };
        assert_eq!(fault.reason(), Reason::BodyTooLarge);
        assert_eq!(first.body().size_hint().exact(), Some(5));
        assert_eq!(text(first).await, "hello");
    }

    #[tokio::test]
    async fn bodies_take_room_and_give_it_back() {
        let room = Room::of(Some(6 * (5 + PIECE as u64)));
        let kept = collected("hello", 5, &room).await;
        assert!(matches!(kept, Collected::Whole(_)));
        let Collected::Streamed(second, fault) = collected("hello", 5, &room).await else {
            panic!("there is room for one");
        };
        assert_eq!(fault.reason(), Reason::NoRoom);
        assert_eq!(text(second).await, "hello");
        drop(kept);
        let third = collected("hello", 5, &room).await;
        assert!(matches!(third, Collected::Whole(_)));
    }
}
