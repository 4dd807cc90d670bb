//! The clock of a connection: between requests it may rest for two minutes, once a head has begun it
//! must be there within seconds, and whoever is answered must take the answer.
//!
//! The HTTP library knows one limit for the first two. Only here is seen that bytes come while no
//! request is in flight. Of HTTP/2 the heads are not seen, so it has the limit of rest alone.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// How long a client may take for the head of a request; the first one from when it connects.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection may rest between requests.
const REST: Duration = Duration::from_secs(120);

/// How long a client may leave an answer that waits for it untouched.
const WRITE: Duration = Duration::from_secs(30);

/// With what a connection of HTTP/2 begins (RFC 9113, section 3.4), as far as it is needed to tell.
const HTTP2: &[u8] = b"PRI";

/// The requests of a connection.
#[derive(Debug)]
pub(super) struct Traffic {
    in_flight: AtomicUsize,
    /// How many there have been.
    begun: AtomicUsize,
    since: Instant,
    /// When the last one ended, in milliseconds since.
    ended: AtomicU64,
}

/// One that is in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Traffic>);

impl Default for Traffic {
    fn default() -> Self {
        Self {
            in_flight: AtomicUsize::default(),
            begun: AtomicUsize::default(),
            since: Instant::now(),
            ended: AtomicU64::default(),
        }
    }
}

impl Traffic {
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.begun.fetch_add(1, Ordering::AcqRel);
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    fn ended(&self) -> Instant {
        self.since + Duration::from_millis(self.ended.load(Ordering::Acquire))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let millis = u64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended.store(millis, Ordering::Release);
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What a connection is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The head of a request.
    Head,
    /// A request, or several.
    Busy,
    /// Nothing.
    Rest,
}

/// A stream with a clock.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    traffic: Arc<Traffic>,
    phase: Phase,
    /// How many requests had begun when the phase was looked at.
    seen: usize,
    /// How many bytes were the first ones of HTTP/2; `None` when one was not.
    like_http2: Option<usize>,
    /// When the phase has lasted too long.
    deadline: Instant,
    /// Wakes at the deadline, or before it.
    alarm: Pin<Box<Sleep>>,
    /// Runs while the client does not take what is written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        let deadline = Instant::now() + HEAD;
        Self {
            stream,
            traffic,
            phase: Phase::Head,
            seen: 0,
            like_http2: Some(0),
            deadline,
            alarm: Box::pin(sleep_until(deadline)),
            stuck: None,
        }
    }

    fn is_http2(&self) -> bool {
        self.like_http2 == Some(HTTP2.len())
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase == phase {
            return;
        }
        self.phase = phase;
        self.deadline = match phase {
            Phase::Head => Instant::now() + HEAD,
            // The end of a request is told to nobody until the connection is looked at again.
            Phase::Busy | Phase::Rest => self.traffic.ended() + REST,
        };
    }

    /// Notes which requests have begun and ended.
    fn look(&mut self) {
        // One that was answered at once has begun all the same.
        let begun = self.traffic.begun.load(Ordering::Acquire);
        if begun != self.seen {
            self.seen = begun;
            self.enter(Phase::Busy);
        }
        if self.phase == Phase::Busy && !self.traffic.is_busy() {
            self.enter(Phase::Rest);
        }
    }

    /// Notes that bytes came.
    fn came(&mut self, bytes: &[u8]) {
        self.look();
        if let Some(seen) = self.like_http2.filter(|seen| *seen < HTTP2.len()) {
            let (expected, count) = (&HTTP2[seen..], bytes.len().min(HTTP2.len() - seen));
            self.like_http2 = bytes[..count]
                .eq(&expected[..count])
                .then_some(seen + count);
        }
        if self.traffic.is_busy() {
            self.enter(Phase::Busy);
        } else if self.is_http2() {
            self.enter(Phase::Rest);
        } else {
            self.enter(Phase::Head);
        }
    }

    /// Ready when the phase has lasted too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.look();
        if self.deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(self.deadline);
        }
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let now = Instant::now();
            if self.traffic.is_busy() {
                // Bodies and answers have limits of their own.
                self.deadline = now + REST;
            } else if self.deadline <= now {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(self.deadline);
        }
    }

    /// What a write came to; an error when it has waited too long.
    fn written<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stuck = None;
            return outcome;
        }
        let stuck = self
            .stuck
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut wire.stream).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                wire.came(&buffer.filled()[before..]);
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                ready!(wire.poll_late(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let outcome = Pin::new(&mut wire.stream).poll_write(cx, bytes);
        wire.written(outcome, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let outcome = Pin::new(&mut wire.stream).poll_write_vectored(cx, slices);
        wire.written(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let outcome = Pin::new(&mut wire.stream).poll_flush(cx);
        wire.written(outcome, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn wire() -> (DuplexStream, Wire<DuplexStream>, Arc<Traffic>) {
        let (client, server) = duplex(64);
        let traffic = Arc::new(Traffic::default());
        (client, Wire::new(server, Arc::clone(&traffic)), traffic)
    }

    /// How long the wire waits for a byte, in seconds.
    async fn patience(wire: &mut Wire<DuplexStream>) -> u64 {
        let began = Instant::now();
        let error = wire.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_head_and_one_that_has_begun_have_seconds() {
        let (_client, mut silent, _) = wire();
        assert_eq!(patience(&mut silent).await, 5);
        let (mut client, mut begun, traffic) = wire();
        begun.came(b"GET");
        drop(traffic.begin());
        begun.enter(Phase::Rest);
        client.write_all(b"G").await.unwrap();
        begun.read_u8().await.unwrap();
        assert_eq!(patience(&mut begun).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_rest_for_two_minutes_after_a_request() {
        let (_client, mut wire, traffic) = wire();
        wire.came(b"GET");
        let in_flight = traffic.begin();
        let waiting = tokio::time::timeout(Duration::from_secs(300), wire.read_u8());
        assert!(waiting.await.is_err(), "a request in flight is not cut off");
        drop(in_flight);
        assert_eq!(patience(&mut wire).await, 120);
    }

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_of_http2_are_no_heads() {
        let (mut client, mut wire, traffic) = wire();
        client.write_all(b"PRI * HTTP/2").await.unwrap();
        let mut read = [0; 12];
        wire.read_exact(&mut read).await.unwrap();
        drop(traffic.begin());
        client.write_all(b"p").await.unwrap();
        wire.read_u8().await.unwrap();
        assert_eq!(patience(&mut wire).await, 120);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_no_answer_is_let_go() {
        let (_client, mut wire, _) = wire();
        let began = Instant::now();
        let error = wire.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 30);
    }
}
