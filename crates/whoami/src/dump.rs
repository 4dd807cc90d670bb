//! `/` and every other path: the request as this application received it, in plain text.
//!
//! The lines about the machine end with LF. The request is what Go's `Request.Write` makes of
//! it: CRLF, `Host` and `User-Agent` first, then how the body is framed, then every other header
//! in the order of its canonical name, then the body.

use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRAILER, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};

use crate::app::Options;
use crate::query::Query;
use crate::request::{canonical, headers, host, target};
use crate::response::{PLAIN_TEXT, Response, full};
use crate::{duration, interfaces};

/// How a request's body is delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// There is none, and the method does not lead one to expect any.
    Absent,
    /// This many bytes.
    Length(u64),
    /// Piece by piece.
    Chunked,
}

/// How many bytes Go looks at to tell text from binary data.
const SNIFFED: usize = 512;

/// What Go calls an answer that is no text.
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The text, after the delay that `wait` asks for.
pub(crate) async fn answer(
    options: &Options,
    request: Request<Incoming>,
    query: &Query,
    peer: SocketAddr,
) -> Response {
    if let Some(delay) = query.value("wait").and_then(duration::parse) {
        tokio::time::sleep(delay).await;
    }
    let framing = framing(&request);
    let mut head = BytesMut::new();
    write_machine(&mut head, options, peer);
    write_request(&mut head, &request, framing);
    let environment = if query.is_true("env") {
        environment(options)
    } else {
        Bytes::default()
    };
    if matches!(framing, Framing::Absent | Framing::Length(0)) {
        head.put(environment);
        let content_type = content_type(&head);
        let mut response = full(head);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        return response;
    }
    let is_head = request.method() == Method::HEAD;
    let response = with_body(head, framing, request.into_body(), environment).await;
    if is_head {
        read(response).await
    } else {
        response
    }
}

/// The head alone. Nobody will ask for the body, and with it for the request's: it is read here, or
/// the connection would close under a client that is still sending.
async fn read(response: Response) -> Response {
    let (head, body) = response.into_parts();
    let _ = body.collect().await;
    let of_any_length = StreamBody::new(stream::empty());
    Response::from_parts(head, of_any_length.boxed_unsync())
}

/// The answer to a request with a body, which is passed on while it arrives.
async fn with_body(
    mut head: BytesMut,
    framing: Framing,
    body: Incoming,
    environment: Bytes,
) -> Response {
    let mut rest = text_of(body, framing == Framing::Chunked);
    let length = match framing {
        Framing::Length(length) => Some(head.len() as u64 + length + environment.len() as u64),
        _ => None,
    };
    let first = rest.next().await.transpose();
    let failed = match first {
        Ok(first) => {
            head.put(first.unwrap_or_default());
            None
        }
        Err(cause) => Some(Err(cause)),
    };
    let content_type = content_type(&head);
    let content = stream::once(async { Ok(head.freeze()) })
        .chain(stream::iter(failed))
        .chain(rest)
        .chain(stream::once(async { Ok(environment) }));
    let body = StreamBody::new(content.map(|piece| piece.map(Frame::data)));
    let mut response = http::Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(length) = length {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// What this process knows of itself and of its peer.
fn write_machine(text: &mut BytesMut, options: &Options, peer: SocketAddr) {
    if !options.name.is_empty() {
        text.put(format!("Name: {}\n", options.name).as_bytes());
    }
    text.put(format!("Hostname: {}\n", options.hostname).as_bytes());
    for address in interfaces::addresses() {
        text.put(format!("IP: {address}\n").as_bytes());
    }
    text.put(format!("RemoteAddr: {peer}\n").as_bytes());
}

/// The request up to the empty line. Its version is always 1.1, whatever was spoken.
fn write_request(text: &mut BytesMut, request: &Request<Incoming>, framing: Framing) {
    let target = target(request.uri());
    text.put(format!("{} {target} HTTP/1.1\r\n", request.method()).as_bytes());
    write_line(text, "Host", host(request).as_bytes());
    match request.headers().get(USER_AGENT).map(HeaderValue::as_bytes) {
        Some(b"") => {}
        Some(agent) => write_line(text, "User-Agent", agent),
        None => write_line(text, "User-Agent", b"Go-http-client/1.1"),
    }
    if is_old_and_closes(request) {
        write_line(text, "Connection", b"close");
    }
    match framing {
        Framing::Absent => {}
        Framing::Length(length) => {
            write_line(text, "Content-Length", length.to_string().as_bytes());
        }
        Framing::Chunked => write_line(text, "Transfer-Encoding", b"chunked"),
    }
    let written = [CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, USER_AGENT].map(|n| canonical(&n));
    for (name, values) in headers(request.headers()) {
        if !written.contains(&name) {
            for value in values {
                write_line(text, &name, value.as_bytes());
            }
        }
    }
    text.put_slice(b"\r\n");
}

/// One header.
fn write_line(text: &mut BytesMut, name: &str, value: &[u8]) {
    text.put_slice(name.as_bytes());
    text.put_slice(b": ");
    text.put_slice(value);
    text.put_slice(b"\r\n");
}

/// HTTP/1.0 closes unless it is told otherwise; Go then writes what HTTP/1.1 would have said.
fn is_old_and_closes(request: &Request<Incoming>) -> bool {
    let says = |word: &str| {
        let lists = request.headers().get_all(CONNECTION).into_iter();
        let lists = lists.filter_map(|value| value.to_str().ok());
        lists
            .flat_map(|list| list.split(','))
            .any(|said| said.trim().eq_ignore_ascii_case(word))
    };
    request.version() == Version::HTTP_10 && !says("keep-alive") && !says("close")
}

/// How the body would be framed, were the request sent on by Go.
fn framing(request: &Request<Incoming>) -> Framing {
    let body = request.body();
    if !body.is_end_stream() {
        return body
            .size_hint()
            .exact()
            .map_or(Framing::Chunked, Framing::Length);
    }
    match *request.method() {
        Method::POST | Method::PUT | Method::PATCH => Framing::Length(0),
        _ => Framing::Absent,
    }
}

/// The body as it would be sent on.
fn text_of(body: Incoming, chunked: bool) -> BoxStream<'static, Result<Bytes, hyper::Error>> {
    let pieces = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(cause)) => return Some((Err(cause), None)),
            None if chunked => return Some((Ok(last_chunk(&HeaderMap::new())), None)),
            None => return None,
        };
        match frame.into_data() {
            Ok(data) if chunked => Some((Ok(chunk(&data)), Some(body))),
            Ok(data) => Some((Ok(data), Some(body))),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                chunked.then(|| (Ok(last_chunk(&trailers)), None))
            }
        }
    });
    pieces.boxed()
}

/// A piece of a chunked body. An empty one would end the body too early.
fn chunk(data: &[u8]) -> Bytes {
    if data.is_empty() {
        return Bytes::new();
    }
    let mut chunk = BytesMut::from(format!("{:x}\r\n", data.len()).as_bytes());
    chunk.put(data);
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

/// The end of a chunked body.
fn last_chunk(trailers: &HeaderMap) -> Bytes {
    let mut chunk = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers {
        write_line(&mut chunk, &canonical(name), value.as_bytes());
    }
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

/// Go's guess (`DetectContentType`), of which a text that begins with ours can be two things.
fn content_type(text: &[u8]) -> HeaderValue {
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if text.iter().take(SNIFFED).any(binary) {
        BINARY
    } else {
        PLAIN_TEXT
    }
}

/// One line a variable.
fn environment(options: &Options) -> Bytes {
    options
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect::<String>()
        .into()
}
