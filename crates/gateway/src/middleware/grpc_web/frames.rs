//! A body with its trailers as its last message: a byte with the highest bit set, the length in four
//! bytes, then a line each, names in lower case.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};

use super::Form;
use crate::body::{Body, BodyError};

/// Marks a message that holds trailers.
const TRAILERS: u8 = 0x80;

/// An answer for a browser's client.
pub(super) struct Framed {
    body: Body,
    form: Form,
    /// What the head said of the call, in case that nothing else does.
    status: HeaderMap,
    is_over: bool,
}

impl Framed {
    pub(super) fn new(body: Body, form: Form, status: HeaderMap) -> Self {
        Self {
            body,
            form,
            status,
            is_over: false,
        }
    }

    /// In base64 each piece is whole by itself, so that a client can read it at once.
    fn written(&self, data: Bytes) -> Frame<Bytes> {
        Frame::data(match self.form {
            Form::Bytes => data,
            Form::Text => STANDARD.encode(data).into(),
        })
    }
}

fn message(trailers: &HeaderMap) -> Bytes {
    let mut text = Vec::new();
    for (name, value) in trailers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&[TRAILERS][..], &length.to_be_bytes(), &text]
        .concat()
        .into()
}

impl HttpBody for Framed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        let trailers = match ready!(Pin::new(&mut this.body).poll_frame(cx)?) {
            Some(frame) => match frame.into_data() {
                Ok(data) => return Poll::Ready(Some(Ok(this.written(data)))),
                Err(frame) => frame.into_trailers().unwrap_or_default(),
            },
            None => std::mem::take(&mut this.status),
        };
        this.is_over = true;
        Poll::Ready(Some(Ok(this.written(message(&trailers)))))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    async fn framed(form: Form) -> Bytes {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [
            Frame::data(Bytes::from_static(b"\0\0\0\0\x01a")),
            Frame::trailers(trailers),
        ];
        let frames = stream::iter(frames.map(Ok::<_, BodyError>));
        let body = Body::stream(StreamBody::new(frames));
        let framed = Framed::new(body, form, HeaderMap::new());
        framed.collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn trailers_are_the_last_message() {
        let bytes = framed(Form::Bytes).await;
        assert_eq!(&bytes[..], b"\0\0\0\0\x01a\x80\0\0\0\x10grpc-status: 0\r\n");
        let text = framed(Form::Text).await;
        let expected = [
            STANDARD.encode(b"\0\0\0\0\x01a"),
            STANDARD.encode(b"\x80\0\0\0\x10grpc-status: 0\r\n"),
        ];
        assert_eq!(&text[..], expected.concat().as_bytes());
    }
}
