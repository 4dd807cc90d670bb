//! `Expect: 100-continue` (RFC 9110 section 10.1.1): the body is read from the client only once the
//! server wants it, so that a refusal costs nobody an upload.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::EXPECT;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;

use crate::body::{Body, BodyError, Request};
use crate::upstream::Informed;

/// A server that says nothing for so long gets the body all the same. Traefik's value.
const PATIENCE: Duration = Duration::from_secs(1);

/// Kept until the server has answered: dropping it ends a body that nobody has begun to read.
#[derive(Debug)]
pub(super) struct Gate(
    #[expect(dead_code, reason = "its drop is its purpose")] oneshot::Sender<()>,
);

/// Holds the body of a request back until its server says `100 Continue`.
pub(super) fn hold_body(request: &mut Request) -> Option<Gate> {
    let expected = request.headers().get(EXPECT)?;
    if !expected.as_bytes().eq_ignore_ascii_case(b"100-continue") {
        return None;
    }
    let (open, opened) = oneshot::channel();
    let open = Mutex::new(Some(open));
    let told = move |status: StatusCode| {
        if status == StatusCode::CONTINUE
            && let Ok(mut open) = open.lock()
            && let Some(open) = open.take()
        {
            // Nobody waits any more when the request is over.
            let _ = open.send(());
        }
    };
    request.extensions_mut().insert(Informed(Arc::new(told)));
    let (gate, closed) = oneshot::channel();
    let wait = Box::pin(async move {
        tokio::select! {
            Ok(()) = opened => true,
            () = tokio::time::sleep(PATIENCE) => true,
            _ = closed => false,
        }
    });
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = Body::stream(Held {
        wait: Some(wait),
        body,
    });
    Some(Gate(gate))
}

/// A body behind a gate.
struct Held {
    wait: Option<BoxFuture<'static, bool>>,
    body: Body,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(wait) = &mut this.wait {
            if !ready!(wait.as_mut().poll(cx)) {
                return Poll::Ready(Some(Err("the server answered without the body".into())));
            }
            this.wait = None;
        }
        Pin::new(&mut this.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
