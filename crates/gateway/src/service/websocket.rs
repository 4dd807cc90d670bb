//! WebSockets are told when the process ends: between two frames of the server the client gets one
//! that closes (RFC 6455 section 5.5.1), and answers it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A whole frame: close, 1001, going away.
const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// Whether this is the protocol of an `Upgrade` field.
pub(super) fn is_meant(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

/// The server's side of a tunnel, which says farewell when it is time.
pub(super) struct Farewell<S> {
    server: S,
    time: Pin<Box<WaitForCancellationFutureOwned>>,
    is_time: bool,
    is_said: bool,
    frames: Frames,
}

impl<S> Farewell<S> {
    pub(super) fn new(server: S, time: CancellationToken) -> Self {
        Self {
            server,
            time: Box::pin(time.cancelled_owned()),
            is_time: false,
            is_said: false,
            frames: Frames::default(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Farewell<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_said {
            // Nothing follows it: the end.
            return Poll::Ready(Ok(()));
        }
        this.is_time = this.is_time || this.time.as_mut().poll(cx).is_ready();
        if this.is_time && this.frames.is_between() && buffer.remaining() >= GOING_AWAY.len() {
            buffer.put_slice(&GOING_AWAY);
            this.is_said = true;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.server).poll_read(cx, buffer))?;
        let mut fresh = buffer.filled().get(before..).unwrap_or_default();
        if this.is_time {
            // Only the frame that has begun is finished.
            let end = before + this.frames.pass(fresh);
            buffer.set_filled(end);
            return Poll::Ready(Ok(()));
        }
        while !fresh.is_empty() {
            fresh = fresh.get(this.frames.pass(fresh)..).unwrap_or_default();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Farewell<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().server).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().server).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().server).poll_shutdown(cx)
    }
}

/// Where frames begin and end (RFC 6455 section 5.2).
#[derive(Debug, Default)]
struct Frames {
    /// The first bytes of a frame, as far as they say how long it is.
    head: Vec<u8>,
    /// Bytes until the end of the frame whose head is known.
    left: u64,
}

impl Frames {
    fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0
    }

    /// Passes over bytes, to the end of a frame or of the bytes. Gives how many those are.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while self.left == 0 {
            let Some(byte) = bytes.get(passed) else {
                return passed;
            };
            passed += 1;
            self.head.push(*byte);
            if let Some(left) = left(&self.head) {
                self.head.clear();
                self.left = left;
                if left == 0 {
                    return passed;
                }
            }
        }
        let rest = bytes.len() - passed;
        let here = self.left.min(u64::try_from(rest).unwrap_or(u64::MAX));
        self.left -= here;
        passed + usize::try_from(here).unwrap_or(rest)
    }
}

/// How much of a frame follows its head; `None`: the head is not whole.
fn left(head: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = head else {
        return None;
    };
    let length = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(*rest.first_chunk()?)),
        127 => u64::from_be_bytes(*rest.first_chunk()?),
        short => u64::from(short),
    };
    let mask = match second & 0x80 {
        0 => 0,
        _ => 4,
    };
    Some(length.saturating_add(mask))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(u8::try_from(length).unwrap()),
            126..0x1_0000 => {
                frame.push(126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(127);
                frame.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.resize(frame.len() + length, 7);
        frame
    }

    #[test]
    fn frames_of_all_lengths_end_where_they_end_however_they_arrive() {
        let lengths = [0, 1, 125, 126, 65_535, 65_536, 0];
        let bytes: Vec<u8> = lengths.iter().flat_map(|length| frame(*length)).collect();
        for step in [1, 2, 7, bytes.len()] {
            let (mut frames, mut ends, mut at) = (Frames::default(), Vec::new(), 0);
            while at < bytes.len() {
                let end = bytes.len().min(at + step);
                at += frames.pass(&bytes[at..end]);
                if frames.is_between() {
                    ends.push(at);
                }
            }
            let mut end = 0;
            let expected = lengths.map(|length| {
                end += frame(length).len();
                end
            });
            assert_eq!(ends, expected, "{step}");
        }
    }

    #[tokio::test]
    async fn the_farewell_comes_after_the_frame_that_has_begun_and_nothing_after_it() {
        let (mut server, side) = duplex(1 << 20);
        let last = CancellationToken::new();
        let mut client = Farewell::new(side, last.clone());
        let whole = [frame(3), frame(300)].concat();
        server.write_all(&whole[..100]).await.unwrap();
        let mut got = vec![0; 100];
        client.read_exact(&mut got).await.unwrap();
        last.cancel();
        server.write_all(&whole[100..]).await.unwrap();
        server.write_all(&frame(5)).await.unwrap();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, [whole, GOING_AWAY.to_vec()].concat());
    }

    #[tokio::test]
    async fn a_silent_server_does_not_keep_the_farewell_back() {
        let (_server, side) = duplex(64);
        let last = CancellationToken::new();
        let mut client = Farewell::new(side, last.clone());
        let mut got = Vec::new();
        let (read, ()) = tokio::join!(client.read_to_end(&mut got), async { last.cancel() });
        assert_eq!(read.unwrap(), GOING_AWAY.len());
        assert_eq!(got, GOING_AWAY);
    }
}
