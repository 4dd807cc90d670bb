//! Memory that large requests may take together. One that finds none left is answered 503 before
//! anything of it is kept, so that many of them cannot end the process (ADR 0025, 0034).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Version;
use http_body::Body as _;

use crate::body::Request;
use crate::error::{Fault, Reason};
use crate::seldom::Seldom;

/// What a request may have without a share: most have less, and cost nothing to admit.
const SMALL_HEAD: usize = 8 << 10;
const SMALL_BODY: u64 = 64 << 10;
/// A head is there as it came, as fields, and as it goes out.
const COPIES: usize = 4;
/// Bytes of a body that wait for a slow server: buffers of reading and of writing. In HTTP/2 all
/// streams of a connection share a window.
const BODY: usize = 256 << 10;
const BODY_OF_STREAM: usize = 64 << 10;
/// The rest is for connections, answers, configuration.
const PART: u64 = 6;

/// What is left.
#[derive(Debug)]
pub(crate) struct Room {
    free: AtomicUsize,
    trouble: Seldom,
}

/// What one request has taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    /// A sixth of the memory of the process, in bytes; `None`: without end.
    pub(crate) fn of(memory: Option<u64>) -> Arc<Self> {
        let free = memory.map_or(usize::MAX, |memory| {
            usize::try_from(memory / PART).unwrap_or(usize::MAX)
        });
        Arc::new(Self {
            free: AtomicUsize::new(free),
            trouble: Seldom::default(),
        })
    }

    /// The share of a request; nothing for a small one.
    pub(crate) fn share(self: &Arc<Self>, request: &Request) -> Result<Option<Share>, Fault> {
        match cost(request) {
            0 => Ok(None),
            bytes => self.take(bytes).map(Some),
        }
    }

    /// A share of nothing, which may grow.
    pub(crate) fn nothing(self: &Arc<Self>) -> Share {
        Share {
            room: Arc::clone(self),
            bytes: 0,
        }
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Result<Share, Fault> {
        let mut share = self.nothing();
        share.grow(bytes)?;
        Ok(share)
    }
}

impl Share {
    /// Takes more. Where there is none left, it stays what it was.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let less = |free: usize| free.checked_sub(bytes);
        let free = &self.room.free;
        match free.fetch_update(Ordering::AcqRel, Ordering::Acquire, less) {
            Ok(_) => {
                self.bytes += bytes;
                Ok(())
            }
            Err(_) => {
                self.room.trouble.tell(|untold| {
                    tracing::warn!(untold, "large requests are refused: memory is taken");
                });
                Err(Fault::new(Reason::NoRoom))
            }
        }
    }

    /// Makes it that of a head of so many bytes, if it has less; a small head has none.
    pub(crate) fn widen(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes > self.bytes.max(SMALL_HEAD) {
            *self = self.room.take(bytes)?;
        }
        Ok(())
    }

    /// Gives back all of it.
    pub(crate) fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.room.free.fetch_add(bytes, Ordering::AcqRel);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

/// Bytes that a request may hold while it is answered; zero: it is small.
fn cost(request: &Request) -> usize {
    let fields = request.headers().iter();
    let head: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let head = if head > SMALL_HEAD { head * COPIES } else { 0 };
    let body = request.body();
    let is_small =
        body.is_end_stream() || body.size_hint().exact().is_some_and(|n| n <= SMALL_BODY);
    let body = match (is_small, request.version()) {
        (true, _) => 0,
        (false, Version::HTTP_2) => BODY_OF_STREAM,
        (false, _) => BODY,
    };
    head + body
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::body::Body;

    fn with_body(length: usize) -> Request {
        Request::new(Body::from(Bytes::from(vec![0; length])))
    }

    // Holds F13.
    #[test]
    fn large_requests_are_refused_when_what_they_may_take_is_taken_and_small_ones_are_not() {
        let room = Room::of(Some(3 << 20));
        let large = with_body(1 << 20);
        let shares = [(); 2].map(|()| room.share(&large).unwrap());
        let refused = room.share(&large).unwrap_err();
        assert_eq!(refused.reason(), Reason::NoRoom);
        assert!(room.share(&with_body(1 << 10)).unwrap().is_none());
        drop(shares);
        assert!(room.share(&large).unwrap().is_some());
        assert!(Room::of(None).share(&large).unwrap().is_some());
    }

    // Holds F13.
    #[test]
    fn what_is_held_grows_until_there_is_no_more() {
        let room = Room::of(Some((64 << 10) * PART));
        let mut held = room.nothing();
        held.widen(SMALL_HEAD).unwrap();
        assert_eq!(held.bytes, 0);
        held.widen(16 << 10).unwrap();
        held.widen(32 << 10).unwrap();
        let refused = held.widen(64 << 10).unwrap_err();
        assert_eq!(refused.reason(), Reason::NoRoom);
        drop(held);
        assert_eq!(room.free.load(Ordering::Acquire), 64 << 10);
    }

    #[test]
    fn long_heads_are_large() {
        let mut request = with_body(0);
        let value = http::HeaderValue::try_from("x".repeat(4 << 10)).unwrap();
        request.headers_mut().append("a", value.clone());
        assert_eq!(cost(&request), 0);
        request.headers_mut().append("a", value);
        assert_eq!(cost(&request), (2 + (8 << 10)) * COPIES);
    }
}
