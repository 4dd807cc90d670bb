//! The bytes of a client's connection, watched on their way to the HTTP parser.
//!
//! The parser reads generously and forgets what it read: that a request had both a length and
//! chunks, two hosts, a fragment, a bare line feed. So each head of HTTP/1 is held back until it is
//! whole and judged as it stands; a refused one is replaced by garbage, to which the parser answers
//! 400 and closes. Bodies pass through uncopied by more than one buffer and are only measured, to
//! know where the next head begins. HTTP/2 and tunnels pass unwatched.
//!
//! The limits of reading are here for the same reason (`patience.rs`): only here is known whether a
//! connection waits for a request, is in the middle of one, or has one in flight.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::io::poll_read_buf;

use super::deadline::Deadline;
use super::head::{self, Framing};
use super::traffic::Traffic;
use crate::chunked::Chunked;
use crate::room::{Room, Share};

mod patience;

use patience::timer;

const EMPTY_LINE: &[u8] = b"\r\n";

/// No head looks like this.
pub(super) const GARBAGE: &[u8] = b"\0\r\n\r\n";

/// What a request line gets in place of the fields that there was no room for.
const NO_FIELDS: &[u8] = b"\r\nhost:\r\n\r\n";

/// The first line of an HTTP/2 connection, written as a head of HTTP/1 (RFC 9113 section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

const READ_SIZE: usize = 8 << 10;

/// Bytes of one reading: the parser's buffer grows with them, and there is one for each upload.
const SIP: u64 = 32 << 10;

/// Bytes that a connection may give in a row before others have a turn: HTTP/2 can hold thousands
/// of frames in them.
const TURN: usize = 64 << 10;

/// Up to so many bytes it is cheaper to write them in one piece than to write several.
const SMALL: usize = 2 << 10;

/// So many bytes are read behind the last answer, and for so long.
const LINGERED: usize = 64 << 20;
const LINGER: Duration = Duration::from_secs(10);

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
    /// What was read before it could be passed on; nothing, most of the time.
    buffer: BytesMut,
    /// Bytes of the buffer that the parser may have.
    ready: usize,
    /// What a long head in the buffer has taken of the room.
    held: Share,
    state: State,
    phase: Phase,
    deadline: Deadline,
    /// Whether bytes came since somebody looked.
    is_fresh: bool,
    /// When somebody looked and bytes had come, or a request was in flight.
    heard: Instant,
    /// Ends the time of an answer.
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Whether all that was written has gone out.
    is_flushed: bool,
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
    /// There was no room for what followed: it is not read.
    Full,
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
    pub(super) fn new(stream: S, traffic: Arc<Traffic>, limits: Limits, room: &Arc<Room>) -> Self {
        let mut wire = Self {
            stream,
            traffic,
            limits,
            buffer: BytesMut::new(),
            ready: 0,
            held: room.nothing(),
            state: State::Head,
            phase: Phase::Request,
            deadline: Deadline::default(),
            is_fresh: false,
            heard: Instant::now(),
            write_timer: None,
            is_flushed: true,
            in_turn: 0,
        };
        wire.wind();
        wire
    }

    /// Waits until there is something for a parser; `false`: the client has closed. Meanwhile the
    /// connection holds no buffer.
    pub(super) fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.ready == 0 && !matches!(self.state, State::Open | State::Refused) {
            let mut space = [MaybeUninit::uninit(); READ_SIZE];
            let mut read = ReadBuf::uninit(&mut space);
            let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, &mut read) else {
                return Poll::Ready(Err(ready!(self.poll_timer(cx))));
            };
            outcome?;
            match (read.filled(), self.buffer.is_empty()) {
                ([], true) => return Poll::Ready(Ok(false)),
                // The parser shall see a head that broke off.
                ([], false) => self.state = State::Open,
                (bytes, _) => self.buffer.extend_from_slice(bytes),
            }
            self.advance();
            self.tell_time();
        }
        Poll::Ready(Ok(true))
    }

    /// Takes back what a parser has left when the connection goes to rest.
    pub(super) fn take_back(&mut self, left: &[u8]) {
        let mut buffer = BytesMut::from(left);
        buffer.extend_from_slice(&self.buffer);
        self.buffer = buffer;
        self.ready += left.len();
    }

    /// Reads on behind the last answer, and forgets it, where more may be on its way: a connection that
    /// is closed with bytes unread is reset, and the answer may be lost with it (nginx's
    /// `lingering_close`).
    pub(super) async fn linger(&mut self) {
        if matches!(self.state, State::Head) && self.buffer.is_empty() {
            return;
        }
        let stream = &mut self.stream;
        let reading = async {
            let (mut space, mut read) = (vec![0; READ_SIZE], 0);
            while read < LINGERED {
                match stream.read(&mut space).await {
                    Ok(0) | Err(_) => return,
                    Ok(length) => read += length,
                }
            }
        };
        // Longer than that, nobody waits for an answer.
        let _ = tokio::time::timeout(LINGER, Box::pin(reading)).await;
    }

    /// Judges what waits in the buffer.
    fn advance(&mut self) {
        while self.ready < self.buffer.len() {
            let buffer = std::mem::take(&mut self.buffer);
            let passed = self.pass(&buffer[self.ready..]);
            self.buffer = buffer;
            self.ready += passed;
            let is_held = matches!(self.state, State::Head) && self.ready < self.buffer.len();
            if matches!(self.state, State::Refused | State::Full) || is_held && !self.head() {
                return;
            }
        }
    }

    /// How many of these bytes the parser may have as they are, from the first one on.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            let fresh = &bytes[passed..];
            match &mut self.state {
                State::Head => match self.sound_head(fresh) {
                    Some(length) => passed += length,
                    None => break,
                },
                State::Length(left) => {
                    let here = u64::try_from(fresh.len()).unwrap_or(u64::MAX).min(*left);
                    *left -= here;
                    passed += usize::try_from(here).unwrap_or(fresh.len());
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Chunked(chunked) => match chunked.read(fresh) {
                    None => self.state = State::Refused,
                    Some(read) => {
                        passed += read;
                        if chunked.is_over() {
                            self.state = State::Head;
                        }
                    }
                },
                State::Open => passed = bytes.len(),
                State::Refused | State::Full => break,
            }
        }
        passed
    }

    /// The length of the head that these bytes begin with, if it is whole and sound; what follows
    /// it is known then.
    fn sound_head(&mut self, bytes: &[u8]) -> Option<usize> {
        // Taken out first, however it came: see `head`.
        if bytes.starts_with(EMPTY_LINE) {
            return None;
        }
        let length = head::length(bytes)?;
        let head = &bytes[..length];
        if head == HTTP2 {
            self.traffic.speaks_http2();
            self.state = State::Open;
            return Some(0);
        }
        let framing = head::judge(head)?;
        self.write_timer = timer(self.limits.write);
        self.state = match framing {
            Framing::None | Framing::Length(0) => State::Head,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
        };
        Some(length)
    }

    /// Looks at a head that cannot pass as it is: whether that changed something.
    fn head(&mut self) -> bool {
        // The parser skips empty lines before a request; they are none of its head.
        if self.buffer[self.ready..].starts_with(EMPTY_LINE) {
            let rest = self.buffer.split_off(self.ready + 2);
            self.buffer.truncate(self.ready);
            self.buffer.unsplit(rest);
            return true;
        }
        let fresh = &self.buffer[self.ready..];
        if head::length(fresh).is_some() || head::has_bare_line_feed(fresh) {
            self.refuse();
            return true;
        }
        let is_too_long = fresh.len() > self.limits.head;
        if is_too_long {
            // More than the parser takes: it answers 431.
            let parsers = self.ready + self.limits.head.max(READ_SIZE) + READ_SIZE;
            self.buffer.resize(parsers, b'a');
            self.state = State::Open;
            return true;
        }
        let has_room = self.held.widen(self.buffer.capacity());
        if has_room.is_err() {
            self.cut();
        }
        has_room.is_err()
    }

    /// Lets the parser have the request line of a head for which there is no room; the request is
    /// answered with that.
    fn cut(&mut self) {
        let fresh = &self.buffer[self.ready..];
        let line = memchr::memmem::find(fresh, b"\r\n").map_or(fresh, |end| &fresh[..end]);
        let head = [line, NO_FIELDS].concat();
        if head::judge(&head).is_none() {
            return self.refuse();
        }
        self.traffic.lacks_room();
        self.buffer.truncate(self.ready);
        self.buffer.extend_from_slice(&head);
        self.ready = self.buffer.len();
        self.state = State::Full;
    }

    /// Lets the parser refuse what has come in.
    fn refuse(&mut self) {
        self.buffer.truncate(self.ready);
        self.buffer.extend_from_slice(GARBAGE);
        self.ready = self.buffer.len();
        self.state = State::Refused;
    }

    /// Whether so many bytes need not be looked at.
    fn may_pass(&self, room: usize) -> bool {
        match self.state {
            State::Open => true,
            State::Length(left) => left >= room as u64,
            _ => false,
        }
    }

    /// Reads past the buffer.
    fn poll_pass(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.in_turn >= TURN {
            self.in_turn = 0;
            // Woken again after the other connections have been looked at, too.
            return pin!(tokio::task::yield_now()).poll(cx).map(|()| Ok(()));
        }
        let before = out.filled().len();
        let mut sip = (&mut self.stream).take(SIP);
        let Poll::Ready(outcome) = Pin::new(&mut sip).poll_read(cx, out) else {
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

    /// Reads into the parser's own buffer, and takes out of it what is not to pass yet. `false`:
    /// nothing passed.
    fn poll_straight(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let before = out.filled().len();
        let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, out) else {
            return Poll::Ready(Err(ready!(self.poll_timer(cx))));
        };
        outcome?;
        let fresh = &out.filled()[before..];
        if fresh.is_empty() {
            return Poll::Ready(Ok(true));
        }
        let passed = self.pass(fresh);
        if passed < fresh.len() {
            self.buffer.extend_from_slice(&fresh[passed..]);
            out.set_filled(before + passed);
            self.advance();
        }
        self.tell_time();
        Poll::Ready(Ok(passed > 0))
    }
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
                if this.buffer.is_empty() {
                    this.buffer = BytesMut::new();
                    this.held.release();
                }
                return Poll::Ready(Ok(()));
            }
            if matches!(this.state, State::Full) {
                return Poll::Ready(Err(ready!(this.poll_timer(cx))));
            }
            if matches!(this.state, State::Refused) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            if this.buffer.is_empty() {
                if this.may_pass(out.remaining()) {
                    return this.poll_pass(cx, out);
                }
                match ready!(this.poll_straight(cx, out))? {
                    true => return Poll::Ready(Ok(())),
                    false => continue,
                }
            }
            this.buffer.reserve(READ_SIZE);
            match poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.buffer) {
                Poll::Pending => {
                    let late = ready!(this.poll_timer(cx));
                    return Poll::Ready(Err(late));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // The parser shall see a head that broke off, and the end.
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
        this.is_flushed = false;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_write(cx)?;
        this.is_flushed = false;
        let stream = Pin::new(&mut this.stream);
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > SMALL {
            return stream.poll_write_vectored(cx, slices);
        }
        let mut space = [MaybeUninit::uninit(); SMALL];
        let mut whole = ReadBuf::uninit(&mut space);
        slices.iter().for_each(|slice| whole.put_slice(slice));
        stream.poll_write(cx, whole.filled())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.is_flushed |= matches!(flushed, Poll::Ready(Ok(())));
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
