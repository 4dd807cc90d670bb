//! The bytes of a client's connection, watched on their way to the HTTP parser.
//!
//! The parser reads generously and forgets what it read: that a request had both a length and
//! chunks, two hosts, a fragment, a bare line feed. So each head of HTTP/1 is held back until it is
//! whole and judged as it stands; a refused one is replaced by garbage, to which the parser answers
//! 400 and closes. Bodies pass through uncopied by more than one buffer and are only measured, to
//! know where the next head begins. HTTP/2 and tunnels pass unwatched.
//!
//! The limits of reading are here for the same reason: only here is known whether a connection waits
//! for a request, is in the middle of one, or has one in flight.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

use super::chunked::Chunked;
use super::head::{self, Framing};
use super::traffic::Traffic;

/// No head looks like this.
const GARBAGE: &[u8] = b"\0\r\n\r\n";

/// The first line of an HTTP/2 connection, written as a head of HTTP/1 (RFC 9113 section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

const READ_SIZE: usize = 8 << 10;

/// Bytes that a connection may give in a row before others have a turn: HTTP/2 can hold thousands
/// of frames in them.
const TURN: usize = 64 << 10;

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a head.
    pub(super) head: usize,
    /// Time of a request, from its first byte to its last; zero: none.
    pub(super) read: Duration,
    /// Time from a request's head to the last byte of its answer; zero: none.
    pub(super) write: Duration,
    /// Time between requests; zero: none.
    pub(super) idle: Duration,
}

/// A watched connection.
pub(super) struct Wire<S> {
    stream: S,
    traffic: Arc<Traffic>,
    limits: Limits,
    buffer: BytesMut,
    /// Bytes of the buffer that the parser may have.
    ready: usize,
    state: State,
    phase: Phase,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether bytes came since the timer was set.
    is_fresh: bool,
    /// Ends the time of an answer.
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Unwatched bytes of this turn.
    in_turn: usize,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(Chunked),
    /// Nothing is watched any more.
    Open,
    /// What followed was no HTTP.
    Refused,
}

/// What the timer measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Request,
    Idle,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Watches a connection from its first byte on. The first request must come as soon as any
    /// other must be complete.
    pub(super) fn new(stream: S, traffic: Arc<Traffic>, limits: Limits) -> Self {
        let mut wire = Self {
            stream,
            traffic,
            limits,
            buffer: BytesMut::new(),
            ready: 0,
            state: State::Head,
            phase: Phase::Request,
            timer: None,
            is_fresh: false,
            write_timer: None,
            in_turn: 0,
        };
        wire.wind();
        wire
    }

    /// Judges what has come in.
    fn advance(&mut self) {
        while self.ready < self.buffer.len() {
            let fresh = &self.buffer[self.ready..];
            match &mut self.state {
                State::Head => {
                    if !self.head() {
                        return;
                    }
                }
                State::Length(left) => {
                    let here = u64::try_from(fresh.len()).unwrap_or(u64::MAX).min(*left);
                    *left -= here;
                    self.ready += usize::try_from(here).unwrap_or(fresh.len());
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Chunked(chunked) => match chunked.read(fresh) {
                    None => self.state = State::Refused,
                    Some(read) => {
                        self.ready += read;
                        if chunked.is_over() {
                            self.state = State::Head;
                        }
                    }
                },
                State::Open => self.ready = self.buffer.len(),
                State::Refused => return,
            }
        }
    }

    /// Takes the next head, if it is whole.
    fn head(&mut self) -> bool {
        // The parser skips empty lines before a request; they are none of its head.
        while self.buffer[self.ready..].starts_with(b"\r\n") {
            let rest = self.buffer.split_off(self.ready + 2);
            self.buffer.truncate(self.ready);
            self.buffer.unsplit(rest);
        }
        let fresh = &self.buffer[self.ready..];
        let end = memchr::memmem::find(fresh, b"\r\n\r\n");
        let Some(length) = end.map(|end| end + 4) else {
            if head::has_bare_line_feed(fresh) {
                self.refuse();
                return true;
            }
            if fresh.len() > self.limits.head {
                // More than the parser takes: it answers 431.
                let parsers = self.ready + self.limits.head.max(READ_SIZE) + READ_SIZE;
                self.buffer.resize(parsers, b'a');
                self.state = State::Open;
                return true;
            }
            return false;
        };
        let head = &fresh[..length];
        if head == HTTP2 {
            self.traffic.speaks_http2();
            self.state = State::Open;
            return true;
        }
        match head::judge(head) {
            Some(framing) => {
                self.ready += length;
                self.write_timer = timer(self.limits.write);
                self.state = match framing {
                    Framing::None | Framing::Length(0) => State::Head,
                    Framing::Length(length) => State::Length(length),
                    Framing::Chunked => State::Chunked(Chunked::new()),
                };
            }
            None => self.refuse(),
        }
        true
    }

    /// Lets the parser refuse what has come in.
    fn refuse(&mut self) {
        self.buffer.truncate(self.ready);
        self.buffer.extend_from_slice(GARBAGE);
        self.ready = self.buffer.len();
        self.state = State::Refused;
    }

    /// Sets the timer for what the connection does now.
    fn wind(&mut self) {
        let limit = match self.phase {
            Phase::Request => self.limits.read,
            Phase::Idle => self.limits.idle,
        };
        self.is_fresh = false;
        self.timer = timer(limit);
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase != phase {
            self.phase = phase;
            self.wind();
        }
    }

    /// Ready with an error when the connection took too long.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let is_tunnel = self.traffic.is_raw();
        while let Some(timer) = self.timer.as_mut().filter(|_| !is_tunnel) {
            ready!(timer.as_mut().poll(cx));
            let is_alive = self.is_fresh || self.traffic.is_busy();
            if self.phase == Phase::Request || !is_alive {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.wind();
        }
        Poll::Pending
    }

    /// Whether so many bytes need not be looked at.
    fn may_pass(&self, room: usize) -> bool {
        let unwatched = match self.state {
            State::Open => true,
            State::Length(left) => left >= room as u64,
            _ => false,
        };
        unwatched && self.buffer.is_empty()
    }

    /// Reads past the buffer.
    fn poll_pass(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.in_turn >= TURN {
            self.in_turn = 0;
            // Woken again after the other connections have been looked at, too.
            return pin!(tokio::task::yield_now()).poll(cx).map(|()| Ok(()));
        }
        let before = out.filled().len();
        let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, out) else {
            self.in_turn = 0;
            return Poll::Ready(Err(ready!(self.poll_timer(cx))));
        };
        self.in_turn += out.filled().len() - before;
        if let State::Length(left) = &mut self.state {
            *left -= (out.filled().len() - before) as u64;
            if *left == 0 {
                self.state = State::Head;
            }
        }
        self.tell_time();
        Poll::Ready(outcome)
    }

    /// Notes that bytes came, or what it means that none did.
    fn tell_time(&mut self) {
        let is_between = matches!(self.state, State::Head) && self.ready == self.buffer.len();
        match is_between || matches!(self.state, State::Open) {
            true => self.enter(Phase::Idle),
            false => self.enter(Phase::Request),
        }
        self.is_fresh = true;
    }
}

impl<S> Wire<S> {
    /// An error when the answer took too long.
    fn check_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let is_tunnel = self.traffic.is_raw();
        let timer = self.write_timer.as_mut().filter(|_| !is_tunnel);
        match timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }
}

/// Goes off after the limit; zero: never.
fn timer(limit: Duration) -> Option<Pin<Box<Sleep>>> {
    (!limit.is_zero()).then(|| Box::pin(tokio::time::sleep(limit)))
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.traffic.is_raw() && !matches!(this.state, State::Open) {
                this.state = State::Open;
                this.advance();
            }
            if this.ready > 0 {
                let length = this.ready.min(out.remaining());
                out.put_slice(&this.buffer[..length]);
                this.buffer.advance(length);
                this.ready -= length;
                return Poll::Ready(Ok(()));
            }
            if matches!(this.state, State::Refused) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            if this.may_pass(out.remaining()) {
                return this.poll_pass(cx, out);
            }
            this.buffer.reserve(READ_SIZE);
            match poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.buffer) {
                Poll::Pending => {
                    let late = ready!(this.poll_timer(cx));
                    return Poll::Ready(Err(late));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // The parser shall see a head that broke off, and the end.
                Poll::Ready(Ok(0)) if this.buffer.is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(0)) => this.state = State::Open,
                Poll::Ready(Ok(_)) => {}
            }
            this.advance();
            this.tell_time();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_write(cx)?;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_write(cx)?;
        Pin::new(&mut this.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
