//! HTTP/1.1 to a server: one request at a time over a connection that belongs to whoever waits for
//! the answer, so that nobody has to be woken between the two. Knows streams and messages; refuses
//! to know where connections are kept (`pool.rs`). `outgoing.rs` writes a request, `answer.rs` reads
//! the head of its answer, `framing.rs` the body after it, which `reading.rs` hands on.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::dial::Stream;
use super::failure::Failure;
use crate::body::Request;

mod answer;
mod framing;
#[cfg(any(fuzzing, test))]
pub(crate) mod hostile;
mod outgoing;
mod reading;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use answer::Answer;
use framing::Left;
pub(crate) use outgoing::Informed;
pub(super) use outgoing::Outgoing;
use outgoing::Unsent;
pub(super) use reading::answer;
pub(crate) use reading::{Reading, Tunnel};

/// Bytes of a first reading: most answers are there as a whole then.
const FIRST: usize = 8 << 10;
/// Most bytes of a reading.
const MOST: usize = 128 << 10;

/// A connection to a server.
pub(super) struct Connection {
    stream: Stream,
    /// What came and was not read yet.
    input: Bytes,
    outgoing: Outgoing,
    left: Left,
    /// Whether it is good for another request when this one is over.
    keeps: bool,
    /// Whether it has served a request before.
    is_used: bool,
    /// Bytes of the next reading of a body.
    size: usize,
    /// What bodies are read into; nothing while the connection waits.
    buffer: BytesMut,
}

/// What came over a connection is no HTTP.
#[derive(Debug)]
pub(super) struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Malformed {}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: Bytes::new(),
            outgoing: Outgoing::default(),
            left: Left::Nothing,
            keeps: false,
            is_used: false,
            size: FIRST,
            buffer: BytesMut::new(),
        }
    }

    /// Sends a request; what is given back waits for the answer.
    pub(super) fn send(mut self: Box<Self>, request: Request) -> Waiting {
        let space = self.outgoing.space();
        self.outgoing = Outgoing::new(request, space);
        Waiting(Some(self))
    }

    /// The same with a request that another connection did not carry.
    pub(super) fn send_again(mut self: Box<Self>, mut outgoing: Outgoing) -> Waiting {
        outgoing.rewind();
        self.outgoing = outgoing;
        Waiting(Some(self))
    }

    /// Whether it is open and silent, as one is that waits for a request. Whoever `cx` wakes learns
    /// of the end of that.
    pub(super) fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        let mut space = [MaybeUninit::uninit(); 1];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::uninit(&mut space));
        self.input.is_empty() && read.is_pending()
    }

    /// The same for who is about to use it: nobody is woken any more.
    pub(super) fn is_still_quiet(&mut self) -> bool {
        self.input.is_empty() && self.stream.is_quiet()
    }

    /// Sends what is left of the request.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        if self.outgoing.is_sent() {
            return Poll::Ready(Ok(()));
        }
        self.outgoing.poll_send(&mut self.stream, cx)
    }

    /// Reads on; `false`: there is nothing more.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let size = match self.left {
            Left::Length(left) => usize::try_from(left).map_or(self.size, |it| it.min(self.size)),
            _ => self.size,
        };
        // The same memory again, once nobody holds what was read into it.
        self.buffer.reserve(size);
        let stream = Pin::new(&mut self.stream);
        let count = ready!(poll_read_buf(stream, cx, &mut self.buffer))?;
        if count >= self.size {
            self.size = (self.size * 2).min(MOST);
        }
        self.input = self.buffer.split().freeze();
        Poll::Ready(Ok(count > 0))
    }

    /// Reads on in a head. What is read is no larger than it must be: fields live long.
    fn poll_fill_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [MaybeUninit::uninit(); FIRST];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let fresh = read.filled();
        self.input = match self.input.is_empty() {
            true => Bytes::copy_from_slice(fresh),
            false => [&self.input, fresh].concat().into(),
        };
        Poll::Ready(Ok(!fresh.is_empty()))
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<()>, Failure>> {
        let unsent = match self.poll_send(cx) {
            Poll::Ready(Err(Unsent::Body(error))) => {
                return Poll::Ready(Err(Failure::of_request_body(error)));
            }
            Poll::Ready(Err(Unsent::Connection(error))) => Some(error),
            _ => None,
        };
        if unsent.is_some() && self.outgoing.is_untouched() {
            return Poll::Ready(Err(self.broken(unsent)));
        }
        loop {
            if !self.input.is_empty() {
                let asked = &mut self.outgoing;
                let answer = Answer::take(&mut self.input, asked.asks_for_head, &mut asked.fields);
                match answer.map_err(Failure::of_malformed)? {
                    Some(answer) if is_early(answer.response.status()) => {
                        if let Some(Informed(tell)) = &self.outgoing.informed {
                            tell(answer.response.status());
                        }
                        continue;
                    }
                    Some(answer) => {
                        self.left = answer.left;
                        self.keeps = answer.keeps && unsent.is_none();
                        return Poll::Ready(Ok(answer.response));
                    }
                    None => {}
                }
            }
            match ready!(self.poll_fill_head(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Err(self.broken(unsent))),
                Err(error) => return Poll::Ready(Err(self.broken(unsent.or(Some(error))))),
            }
        }
    }

    /// The connection has ended before there was an answer.
    fn broken(&self, error: Option<io::Error>) -> Failure {
        let error = error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
        Failure::of_stream(error, self.is_used && self.input.is_empty())
    }
}

/// Whether another answer follows (RFC 9110 section 15.2).
fn is_early(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// Waits for the head of an answer. Where there is none, the request comes back.
pub(super) struct Waiting(Option<Box<Connection>>);

impl Future for Waiting {
    type Output = Result<(Response<()>, Box<Connection>), (Failure, Box<Outgoing>)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut connection) = self.0.take() else {
            // Asked again after its end.
            return Poll::Pending;
        };
        match connection.poll_answer(cx) {
            Poll::Pending => {
                self.0 = Some(connection);
                Poll::Pending
            }
            Poll::Ready(Ok(response)) => Poll::Ready(Ok((response, connection))),
            Poll::Ready(Err(failure)) => {
                let outgoing = Box::new(std::mem::take(&mut connection.outgoing));
                Poll::Ready(Err((failure, outgoing)))
            }
        }
    }
}
