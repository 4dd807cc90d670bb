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
pub(super) fn ask(request: &mut Request) -> bool {
    let headers = request.headers();
    let asks = !headers.contains_key(ACCEPT_ENCODING)
        && !headers.contains_key(RANGE)
        && request.method() != Method::HEAD;
    if asks {
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(ACCEPT_ENCODING, gzip);
    }
    asks
}

/// Unpacks the answer to such a request, if the server packed it.
pub(super) fn answer(response: Response) -> Response {
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
