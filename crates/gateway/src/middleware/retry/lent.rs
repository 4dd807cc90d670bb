//! A body that comes back when nobody has read of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::body::{Body, BodyError};

/// Where it comes back to.
#[derive(Default)]
struct Home(Mutex<Option<Body>>);

/// Lends a body to one attempt after the other.
pub(super) struct Lender(Arc<Home>);

impl Lender {
    pub(super) fn new(body: Body) -> Self {
        let home = Home::default();
        home.put(body);
        Self(Arc::new(home))
    }

    /// The body; `None` where the one before was read, or is not back yet.
    pub(super) fn lend(&self) -> Option<Body> {
        let body = self.0.take()?;
        if body.is_end_stream() {
            self.0.put(Body::empty());
            return Some(body);
        }
        Some(Body::stream(Lent {
            body: Some(body),
            is_read: false,
            home: Arc::clone(&self.0),
        }))
    }

    /// Whether it can be lent.
    pub(super) fn is_back(&self) -> bool {
        let body = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.is_some()
    }
}

impl Home {
    fn put(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    fn take(&self) -> Option<Body> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.take()
    }
}

struct Lent {
    /// Until it is given back.
    body: Option<Body>,
    is_read: bool,
    home: Arc<Home>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|_| !self.is_read) {
            self.home.put(body);
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        this.is_read = true;
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_that_nobody_read_can_be_lent_again_and_one_that_was_begun_cannot() {
        let lender = Lender::new(Body::from("hello"));
        drop(lender.lend().unwrap());
        let mut body = lender.lend().unwrap();
        assert!(!lender.is_back());
        assert_eq!(body.size_hint().exact(), Some(5));
        assert!(body.frame().await.unwrap().is_ok());
        drop(body);
        assert!(!lender.is_back() && lender.lend().is_none());
    }

    #[test]
    fn nothing_can_be_lent_for_ever() {
        let lender = Lender::new(Body::empty());
        assert!(lender.lend().unwrap().is_end_stream());
        assert!(lender.is_back() && lender.lend().unwrap().is_end_stream());
    }
}
