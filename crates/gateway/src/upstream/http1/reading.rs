//! The body of an answer, with the connection that it comes over.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::Left;
use super::outgoing::Unsent;
use super::{Connection, FIRST, Stream};
use crate::body::{Body, BodyError};
use crate::shard::Held;
use crate::upstream::pool::Idle;

/// The body of an answer. Its connection goes back where connections wait once the body has been
/// read to its end, and closes with a body of which something is left.
pub(crate) struct Reading {
    lent: Option<Lent>,
    /// Why it broke off, which is told when what came before has gone on.
    broken: Option<BodyError>,
}

/// A connection that is lent to an answer.
struct Lent {
    connection: Box<Connection>,
    idle: Held<Idle>,
}

/// A connection over which another protocol is spoken from now on.
pub(crate) struct Tunnel {
    stream: Stream,
    /// What came along with the answer that switched.
    read: Bytes,
}

/// An answer with its body.
pub(in crate::upstream) fn answer(
    response: Response<()>,
    connection: Box<Connection>,
    idle: &Held<Idle>,
) -> Response<Body> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Connection { stream, input, .. } = *connection;
        let tunnel = Tunnel {
            stream,
            read: input,
        };
        return response.map(|()| Body::tunnel(tunnel));
    }
    let idle = Held::clone(idle);
    let lent = Lent { connection, idle };
    if lent.connection.left.is_over() {
        lent.give_back();
        return response.map(|()| Body::empty());
    }
    response.map(|()| {
        Body::reading(Reading {
            lent: Some(lent),
            broken: None,
        })
    })
}

impl Lent {
    /// The answer is over.
    fn give_back(self) {
        let Self {
            mut connection,
            idle,
        } = self;
        if !connection.keeps || !connection.input.is_empty() {
            return;
        }
        connection.is_used = true;
        (connection.buffer, connection.size) = (BytesMut::new(), FIRST);
        if connection.outgoing.is_sent() {
            return idle.give_back(connection);
        }
        // The server has answered before the end of the request: nobody waits for that end.
        tokio::spawn(async move {
            if poll_fn(|cx| connection.poll_send(cx)).await.is_ok() {
                idle.give_back(connection);
            }
        });
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let connection = &mut *self.connection;
        match connection.poll_send(cx) {
            Poll::Ready(Err(Unsent::Body(error))) => return Poll::Ready(Some(Err(error))),
            // The answer may be whole all the same.
            Poll::Ready(Err(Unsent::Connection(_))) => connection.keeps = false,
            _ => {}
        }
        loop {
            if let Some(frame) = connection.left.take(&mut connection.input)? {
                return Poll::Ready(Some(Ok(frame)));
            }
            if connection.left.is_over() {
                return Poll::Ready(None);
            }
            let is_more = ready!(connection.poll_fill(cx))?;
            match (is_more, &connection.left) {
                (true, _) => {}
                (false, Left::Rest) => connection.left = Left::Nothing,
                (false, _) => {
                    let kind = io::ErrorKind::UnexpectedEof;
                    let error = io::Error::new(kind, "the answer broke off");
                    return Poll::Ready(Some(Err(error.into())));
                }
            }
        }
    }
}

impl HttpBody for Reading {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(error) = this.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(lent) = &mut this.lent else {
            return Poll::Ready(None);
        };
        match ready!(lent.poll_frame(cx)) {
            Some(Err(error)) => {
                (this.lent, this.broken) = (None, Some(error));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => {
                if let Some(lent) = this.lent.take_if(|lent| lent.connection.left.is_over()) {
                    lent.give_back();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.lent.is_none() && self.broken.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.lent.as_ref().map(|lent| &lent.connection.left) {
            None if self.broken.is_some() => SizeHint::default(),
            None | Some(Left::Nothing) => SizeHint::with_exact(0),
            Some(Left::Length(left)) => SizeHint::with_exact(*left),
            Some(Left::Chunked(_) | Left::Rest) => SizeHint::default(),
        }
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = self.lent.as_ref().map(|lent| &lent.connection.left);
        f.debug_tuple("Reading").field(&left).finish()
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        let count = this.read.len().min(buffer.remaining());
        buffer.put_slice(&this.read.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
