//! A body in base64, decoded while it comes. Pieces may end anywhere and be padded each.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};

use crate::body::{Body, BodyError};

/// Characters that stand for three bytes.
const GROUP: usize = 4;

/// What the text stands for.
pub(super) struct Decoded {
    body: Body,
    /// A group that is not whole yet.
    rest: Vec<u8>,
}

impl Decoded {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            rest: Vec::new(),
        }
    }

    fn decode(&mut self, data: &[u8]) -> Result<Bytes, BodyError> {
        let is_text = |byte: &&u8| !byte.is_ascii_whitespace();
        self.rest.extend(data.iter().filter(is_text));
        let whole = self.rest.len() / GROUP * GROUP;
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        let mut out = Vec::with_capacity(whole);
        let mut part: &[u8] = &text;
        while !part.is_empty() {
            // Padding ends a part, and another may follow.
            let padding = part.iter().position(|byte| *byte == b'=');
            let end = padding.map_or(part.len(), |at| at / GROUP * GROUP + GROUP);
            let (one, others) = part.split_at(end.min(part.len()));
            STANDARD.decode_vec(one, &mut out)?;
            part = others;
        }
        Ok(out.into())
    }
}

impl HttpBody for Decoded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)?) else {
                return Poll::Ready(match this.rest.is_empty() {
                    true => None,
                    false => {
                        this.rest.clear();
                        Some(Err("the base64 of the body breaks off".into()))
                    }
                });
            };
            let data = match frame.into_data() {
                Ok(data) => this.decode(&data)?,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            };
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    async fn decoded(pieces: &'static [&'static str]) -> Option<Vec<u8>> {
        let frames = pieces
            .iter()
            .map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())));
        let frames = stream::iter(frames.map(Ok::<_, BodyError>));
        let body = Decoded::new(Body::stream(StreamBody::new(frames)));
        Some(body.collect().await.ok()?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn pieces_end_anywhere_and_padding_ends_none() {
        for pieces in [
            &["aGVsbG8="][..],
            &["a", "GVs", "bG8", "="],
            &["aGU=bGxv"],
            &["aA==ZQ==", "bGxv"],
        ] {
            assert_eq!(decoded(pieces).await.unwrap(), b"hello", "{pieces:?}");
        }
        for pieces in [&["aGVsbG8"][..], &["a*=="], &["===="]] {
            assert_eq!(decoded(pieces).await, None, "{pieces:?}");
        }
    }
}
