//! What is left of a request's body when there is an answer and nobody wants the body any more: it is
//! on its way from the client all the same. A little is read for nothing, and the connection serves on;
//! of more, the answer says that it is the last one (`Wire::linger` then sees to it that it arrives).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::runtime::Handle;

use crate::body::{Body, BodyError, Request};

/// So many bytes of a body are read for nothing, and for so long.
const DRAINED: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer may wait so long for chunks.
const MOMENT: Duration = Duration::from_millis(100);

/// Where the rest of a request's body is put down by whoever has it last. Dropped with the answer, which
/// an upload may outlive.
#[derive(Debug)]
pub(super) struct Rest(Slot);

type Slot = Arc<Mutex<Option<Incoming>>>;

impl Rest {
    /// The request with a body whose rest comes back; `None`: it has no body, or a protocol that can end
    /// it without the connection.
    pub(super) fn of(request: http::Request<Incoming>) -> (Request, Option<Self>) {
        if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
            return (request.map(Body::from), None);
        }
        let slot = Slot::default();
        let rest = Self(Arc::clone(&slot));
        let lent = |body| {
            Body::stream(Lent {
                body: Some(body),
                slot,
            })
        };
        (request.map(lent), Some(rest))
    }

    /// Whether the connection can be kept: nothing is left, or so little that it is read for nothing. Of
    /// chunks nobody knows how many come; those that are there already are waited for, and no others.
    pub(super) async fn is_little(&self) -> bool {
        let Some(mut body) = self.take() else {
            return true;
        };
        match body.size_hint().exact() {
            Some(left) if left <= DRAINED => drain_meanwhile(body),
            Some(_) => return false,
            None => {
                let drained = tokio::time::timeout(MOMENT, drain(&mut body)).await;
                return drained.unwrap_or(false);
            }
        }
        true
    }

    fn take(&self) -> Option<Incoming> {
        locked(&self.0).take()
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.take().into_iter().for_each(drain_meanwhile);
    }
}

/// Reads by itself, while the answer is on its way.
fn drain_meanwhile(mut body: Incoming) {
    // Without a runtime nobody sends anything either.
    if let Ok(runtime) = Handle::try_current() {
        let draining = async move { tokio::time::timeout(PATIENCE, drain(&mut body)).await };
        drop(runtime.spawn(draining));
    }
}

/// Whether a body ends before it is too long.
async fn drain(body: &mut Incoming) -> bool {
    let mut read = 0;
    while read <= DRAINED {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    false
}

/// A body that is put down where it came from.
#[derive(Debug)]
struct Lent {
    /// `None`: it has been read to its end.
    body: Option<Incoming>,
    slot: Slot,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        *locked(&self.slot) = rest;
    }
}

/// A panic elsewhere leaves it whole.
fn locked(slot: &Mutex<Option<Incoming>>) -> std::sync::MutexGuard<'_, Option<Incoming>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
