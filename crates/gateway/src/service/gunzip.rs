//! Compression between server and gateway for a client that asked for none: the gateway asks for
//! gzip and unpacks it, piece by piece, in bounded memory. Traefik does the same; whoami's print of
//! the tutorial shows the header. What a client asked for itself is never touched.

use async_compression::tokio::bufread::GzipDecoder;
use futures_util::TryStreamExt;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, RANGE};
use http::{HeaderValue, Method};
use http_body::{Body as _, Frame};
use http_body_util::{BodyDataStream, StreamBody};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::body::{Body, Request, Response};

/// Asks for gzip where the client asked for nothing, and tells whether it did.
pub(crate) fn ask(request: &mut Request) -> bool {
    let headers = request.headers();
    // An empty value asks for nothing, too.
    let asks = headers
        .get(ACCEPT_ENCODING)
        .is_none_or(HeaderValue::is_empty)
        && !headers.contains_key(RANGE)
        && request.method() != Method::HEAD;
    if asks {
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(ACCEPT_ENCODING, gzip);
    }
    asks
}

/// Unpacks the answer to such a request, if the server packed it.
pub(crate) fn answer(response: Response) -> Response {
    let is_packed = response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !is_packed || response.body().is_end_stream() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, unpacked(body))
}

fn unpacked(body: Body) -> Body {
    let packed = BodyDataStream::new(body).map_err(std::io::Error::other);
    let mut decoder = GzipDecoder::new(StreamReader::new(packed));
    decoder.multiple_members(true);
    let frames = ReaderStream::new(decoder).map_ok(Frame::data);
    Body::stream(StreamBody::new(frames))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_compression::tokio::write::GzipEncoder;
    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Megabytes of zeros, packed a thousand to one.
    async fn bomb(megabytes: usize) -> Vec<u8> {
        let mut encoder = GzipEncoder::new(Vec::new());
        for _ in 0..megabytes {
            encoder.write_all(&vec![0; 1 << 20]).await.unwrap();
        }
        encoder.shutdown().await.unwrap();
        encoder.into_inner()
    }

    // Holds DO-09.
    #[tokio::test]
    async fn a_bomb_is_unpacked_piece_by_piece_as_it_is_read() {
        let packed = bomb(40).await;
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&pulled);
        let pieces: Vec<_> = packed.chunks(1 << 10).map(Bytes::copy_from_slice).collect();
        let total = pieces.len();
        let frames = stream::iter(pieces).map(move |piece| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Frame::data(piece))
        });
        let mut body = unpacked(Body::stream(StreamBody::new(frames)));
        let mut zeros = 0;
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= 64 << 10, "{}", data.len());
            zeros += data.len();
            // A piece of 1 KiB holds 1 MiB: never more than the next one is held.
            let unread = pulled.load(Ordering::Relaxed).saturating_sub(zeros >> 20);
            assert!(unread <= 2, "{unread} of {total} pieces are held");
        }
        assert_eq!(zeros, 40 << 20);
    }
}
