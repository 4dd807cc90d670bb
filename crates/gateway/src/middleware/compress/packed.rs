//! A body, packed while it comes. When nothing more is there at the moment, what came goes out: a
//! client that waits for an event gets it at once.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::Level;
use async_compression::brotli::EncoderParams;
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use async_compression::zstd::CParameter;
use bytes::{Buf as _, Bytes};
use carnet_config::routing::middleware::compress::Encoding;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::io::AsyncWrite;

use crate::body::{Body, BodyError};

/// So much goes out at once.
const PIECE: usize = 16 << 10;
/// So much is packed before others get their turn.
const TURN: usize = 64 << 10;
/// The memory of a packed answer: far less than the formats allow, hardly larger answers.
const WINDOW: u32 = 18;
const BROTLI_WINDOW: i32 = 18;
/// Quality of `br`: about the time of `gzip` at its default.
const BROTLI_QUALITY: i32 = 4;

/// Something that packs what is written to it.
trait Packer: AsyncWrite + Send + Unpin {
    /// What is packed and not taken yet.
    fn out(&mut self) -> &mut Vec<u8>;
}

impl Packer for GzipEncoder<Vec<u8>> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.get_mut()
    }
}

impl Packer for BrotliEncoder<Vec<u8>> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.get_mut()
    }
}

impl Packer for ZstdEncoder<Vec<u8>> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.get_mut()
    }
}

fn packer(coding: Encoding) -> Box<dyn Packer> {
    match coding {
        Encoding::Gzip => Box::new(GzipEncoder::new(Vec::new())),
        Encoding::Br => {
            let params = EncoderParams::default()
                .quality(Level::Precise(BROTLI_QUALITY))
                .window_size(BROTLI_WINDOW);
            Box::new(BrotliEncoder::with_params(Vec::new(), params))
        }
        Encoding::Zstd => {
            let window = [CParameter::window_log(WINDOW)];
            let level = Level::Default;
            Box::new(ZstdEncoder::with_quality_and_params(
                Vec::new(),
                level,
                &window,
            ))
        }
    }
}

/// A packed body.
pub(super) struct Packed {
    body: Body,
    packer: Box<dyn Packer>,
    /// Read and not packed yet.
    data: Bytes,
    /// Whether something is packed that a client could not unpack yet.
    holds: bool,
    stage: Stage,
}

/// How far it is.
enum Stage {
    Body,
    /// What follows the body.
    End(Option<HeaderMap>),
    Over,
}

impl Packed {
    pub(super) fn new(body: Body, coding: Encoding) -> Self {
        Self {
            body,
            packer: packer(coding),
            data: Bytes::new(),
            holds: false,
            stage: Stage::Body,
        }
    }

    /// What is packed so far.
    fn taken(&mut self) -> Option<Frame<Bytes>> {
        let out = self.packer.out();
        (!out.is_empty()).then(|| Frame::data(std::mem::take(out).into()))
    }

    /// Packs what was read, until a piece is full. The packers write to memory and never wait.
    fn pack(&mut self, cx: &mut Context<'_>) -> Result<usize, BodyError> {
        let before = self.data.len();
        while !self.data.is_empty() && self.packer.out().len() < PIECE {
            let piece = &self.data[..self.data.len().min(PIECE)];
            match Pin::new(&mut self.packer).poll_write(cx, piece)? {
                Poll::Ready(written) if written > 0 => self.data.advance(written),
                _ => return Err("the packer takes nothing".into()),
            }
            self.holds = true;
        }
        Ok(before - self.data.len())
    }

    /// Reads and packs until there is something to send, or nothing more at the moment.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut packed = 0;
        loop {
            packed += self.pack(cx)?;
            if self.packer.out().len() >= PIECE {
                return Poll::Ready(self.taken().map(Ok));
            }
            if packed >= TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let trailers = match Pin::new(&mut self.body).poll_frame(cx)? {
                Poll::Ready(Some(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.data = data;
                        continue;
                    }
                    Err(frame) => frame.into_trailers().ok(),
                },
                Poll::Ready(None) => None,
                Poll::Pending => {
                    if !std::mem::take(&mut self.holds) {
                        return Poll::Pending;
                    }
                    ready!(Pin::new(&mut self.packer).poll_flush(cx))?;
                    match self.taken() {
                        Some(frame) => return Poll::Ready(Some(Ok(frame))),
                        None => return Poll::Pending,
                    }
                }
            };
            ready!(Pin::new(&mut self.packer).poll_shutdown(cx))?;
            self.stage = Stage::End(trailers);
            return Poll::Ready(self.taken().map(Ok));
        }
    }
}

impl HttpBody for Packed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match &mut this.stage {
            Stage::Body => this.poll_body(cx),
            Stage::End(trailers) => {
                let trailers = trailers.take();
                this.stage = Stage::Over;
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Stage::Over => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::End(None) | Stage::Over)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_compression::tokio::write::{BrotliDecoder, GzipDecoder, ZstdDecoder};
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::mpsc;

    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Gzip, Encoding::Br, Encoding::Zstd];

    async fn unpacked(packed: &[u8], coding: Encoding) -> Vec<u8> {
        macro_rules! through {
            ($decoder:ident) => {{
                let mut decoder = $decoder::new(Vec::new());
                decoder.write_all(packed).await.unwrap();
                decoder.flush().await.unwrap();
                decoder.into_inner()
            }};
        }
        match coding {
            Encoding::Gzip => through!(GzipDecoder),
            Encoding::Br => through!(BrotliDecoder),
            Encoding::Zstd => through!(ZstdDecoder),
        }
    }

    #[tokio::test]
    async fn what_was_packed_is_what_comes_out_and_trailers_follow_it() {
        for coding in ALL {
            for size in [0, 1, 5_000, 300_000] {
                let mut state = 1_u32;
                let noise = std::iter::repeat_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    u8::try_from(state >> 28).unwrap()
                });
                let text: Vec<u8> = noise.take(size).collect();
                let mut trailers = HeaderMap::new();
                trailers.insert("x-end", "1".parse().unwrap());
                let frames = text
                    .chunks(7_000)
                    .map(Bytes::copy_from_slice)
                    .map(Frame::data);
                let frames: Vec<_> = frames.chain([Frame::trailers(trailers.clone())]).collect();
                let frames = stream::iter(frames).map(Ok::<_, BodyError>);
                let body = Packed::new(Body::stream(StreamBody::new(frames)), coding);
                let collected = body.collect().await.unwrap();
                assert_eq!(collected.trailers(), Some(&trailers));
                assert_eq!(unpacked(&collected.to_bytes(), coding).await, text);
            }
        }
    }

    #[tokio::test]
    async fn what_came_goes_out_while_nothing_more_comes() {
        for coding in ALL {
            let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
            let frames = stream::unfold(receiver, |mut receiver| async {
                let data = receiver.recv().await?;
                Some((Ok::<_, BodyError>(Frame::data(data)), receiver))
            });
            let mut body = Packed::new(Body::stream(StreamBody::new(Box::pin(frames))), coding);
            let mut packed = Vec::new();
            for number in 0..3 {
                sender.send(format!("data: {number}\n\n").into()).unwrap();
                let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
                packed.extend(frame.into_data().unwrap());
                let text = unpacked(&packed, coding).await;
                assert!(text.ends_with(format!("data: {number}\n\n").as_bytes()));
                assert!(body.frame().now_or_never().is_none());
            }
        }
    }

    // Holds DO-09.
    #[tokio::test]
    async fn a_body_without_end_is_packed_in_bounded_memory() {
        for coding in ALL {
            let pulled = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&pulled);
            let frames = stream::repeat_with(move || {
                let number = count.fetch_add(1, Ordering::Relaxed);
                // Something that no packer makes small.
                let mut state = u64::try_from(number).unwrap() * 2 + 1;
                let piece = std::iter::repeat_with(|| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state.to_le_bytes()
                });
                let piece: Vec<u8> = piece.take(1 << 10).flatten().collect();
                Ok::<_, BodyError>(Frame::data(piece.into()))
            });
            let mut body = Packed::new(Body::stream(StreamBody::new(frames)), coding);
            let mut sent = 0;
            for _ in 0..500 {
                let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
                assert!(data.len() <= 512 << 10, "{coding:?}: {}", data.len());
                sent += data.len();
                // The window may be full of what was read and not sent.
                let read = pulled.load(Ordering::Relaxed) * (8 << 10);
                assert!(
                    read < sent + (1 << 20),
                    "{coding:?}: {read} read, {sent} sent"
                );
            }
        }
    }
}
