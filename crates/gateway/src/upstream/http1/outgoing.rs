//! A request as it goes over a connection: its head as text, its body after it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HOST, HeaderName, MAX_FORWARDS, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body::{Body as _, Frame};
use tokio::io::AsyncWrite;
use tokio_util::io::poll_write_buf;

use super::framing;
use crate::body::{Body, BodyError, Request};
use crate::upstream::is_repeatable;

/// Room for most heads.
const USUAL: usize = 512;
/// A connection that waits keeps no more.
const MUCH: usize = 2 << 10;
/// The end of a chunk after which there is no other.
const LAST_OF_ALL: &[u8] = b"\r\n0\r\n\r\n";
/// What frames, routes or vouches for a message stands in its head or nowhere.
const NEVER_TRAILERS: [HeaderName; 12] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    HOST,
    MAX_FORWARDS,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
];

/// An extension of a request whose sender wants to know of early answers (RFC 9110 section 15.2).
#[derive(Clone)]
pub(crate) struct Informed(pub(crate) Arc<dyn Fn(StatusCode) + Send + Sync>);

/// A request on its way. It can be sent over another connection as long as nothing of its body is
/// gone.
#[derive(Default)]
pub(in crate::upstream) struct Outgoing {
    /// Whether its answer has no body, whatever the head says (RFC 9110 section 9.3.2).
    pub(super) asks_for_head: bool,
    pub(super) informed: Option<Informed>,
    /// The map of the request's fields, empty now: those of the answer may have it.
    pub(super) fields: HeaderMap,
    is_repeatable: bool,
    head: Vec<u8>,
    /// Bytes of the head that were written.
    written: usize,
    /// `None`: there is no body, or it has been written.
    pub(super) upload: Option<Box<Upload>>,
    /// Whether something waits in the stream.
    is_flushed: bool,
}

/// A body on its way.
pub(super) struct Upload {
    pub(super) body: Body,
    coding: Coding,
    piece: Option<Piece>,
    is_over: bool,
}

enum Coding {
    /// So many bytes are left.
    Length(u64),
    /// With the names of the trailers that may follow.
    Chunked(Vec<HeaderName>),
}

/// A part of a body with what frames it.
type Piece = Chain<Chain<Bytes, Bytes>, &'static [u8]>;

/// Why a request was not sent.
pub(super) enum Unsent {
    /// The connection broke. There may be an answer all the same.
    Connection(io::Error),
    /// The body broke.
    Body(BodyError),
}

impl Outgoing {
    /// A request that is written into `text`, which is empty.
    pub(super) fn new(request: Request, mut text: Vec<u8>) -> Self {
        let is_repeatable = is_repeatable(&request);
        let (mut head, body) = request.into_parts();
        let coding = match body.is_end_stream() {
            true => None,
            false => Some(Coding::of(&head.headers, &body)),
        };
        write_target(&mut text, &head.method, &head.uri);
        write_fields(&mut text, &head.headers, &head.uri, coding.as_ref());
        head.headers.clear();
        Self {
            asks_for_head: head.method == Method::HEAD,
            informed: head.extensions.remove(),
            fields: head.headers,
            is_repeatable,
            head: text,
            written: 0,
            upload: coding.map(|coding| {
                Box::new(Upload {
                    body,
                    coding,
                    piece: None,
                    is_over: false,
                })
            }),
            is_flushed: false,
        }
    }

    /// The space of its head for the next one, unless that is much.
    pub(super) fn space(&mut self) -> Vec<u8> {
        let mut space = std::mem::take(&mut self.head);
        space.clear();
        match space.capacity() {
            USUAL..=MUCH => space,
            _ => Vec::with_capacity(USUAL),
        }
    }

    /// Whether nothing of it was written.
    pub(in crate::upstream) fn is_untouched(&self) -> bool {
        self.written == 0
    }

    /// Whether it may be sent again although it was written.
    pub(in crate::upstream) fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    /// Begins again.
    pub(super) fn rewind(&mut self) {
        self.written = 0;
        self.is_flushed = false;
    }

    /// Whether all of it was sent.
    pub(super) fn is_sent(&self) -> bool {
        self.is_flushed && self.upload.is_none()
    }

    /// Sends what can be sent.
    pub(super) fn poll_send<S>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Unsent>>
    where
        S: AsyncWrite + Unpin,
    {
        loop {
            let upload = self.upload.as_deref_mut();
            let waits = match upload {
                Some(upload) => upload.poll_piece(cx).map_err(Unsent::Body)?.is_pending(),
                None => false,
            };
            if self.has_bytes() {
                ready!(self.poll_write(stream, cx)).map_err(Unsent::Connection)?;
                continue;
            }
            self.upload.take_if(|upload| upload.is_over);
            if !self.is_flushed {
                ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(Unsent::Connection)?;
                self.is_flushed = true;
            }
            if self.upload.is_none() {
                return Poll::Ready(Ok(()));
            }
            if waits {
                return Poll::Pending;
            }
        }
    }

    fn has_bytes(&self) -> bool {
        let piece = self.upload.as_deref().and_then(|it| it.piece.as_ref());
        self.written < self.head.len() || piece.is_some_and(Buf::has_remaining)
    }

    /// Writes once; head and body together if there are both.
    fn poll_write<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        let head = &self.head[self.written..];
        let left = head.len();
        let piece = self.upload.as_deref_mut().and_then(|it| it.piece.as_mut());
        let stream = Pin::new(stream);
        let count = ready!(match piece {
            Some(piece) => poll_write_buf(stream, cx, &mut head.chain(piece)),
            None => stream.poll_write(cx, head),
        })?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.written += count.min(left);
        self.is_flushed = false;
        Poll::Ready(Ok(()))
    }
}

impl Upload {
    /// Ready when there is a piece to write, or none any more.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while !self.is_over && !self.piece.as_ref().is_some_and(Buf::has_remaining) {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)?);
            self.piece = match &mut self.coding {
                Coding::Length(left) => match frame.map(Frame::into_data) {
                    Some(Ok(data)) => {
                        let rest = left.checked_sub(data.len() as u64);
                        *left = rest.ok_or_else(|| malformed("the body is longer than it says"))?;
                        self.is_over = *left == 0;
                        Some(piece(Bytes::new(), data, b""))
                    }
                    // What follows a body of a known length is nowhere to be written.
                    Some(Err(_trailers)) => continue,
                    None if *left > 0 => {
                        return Poll::Ready(Err(malformed("the body is shorter than it says")));
                    }
                    None => {
                        self.is_over = true;
                        None
                    }
                },
                Coding::Chunked(trailers) => match frame.map(Frame::into_data) {
                    Some(Ok(data)) if data.is_empty() => continue,
                    Some(Ok(data)) => {
                        self.is_over = self.body.is_end_stream();
                        let end: &[u8] = if self.is_over { LAST_OF_ALL } else { b"\r\n" };
                        Some(piece(format!("{:X}\r\n", data.len()).into(), data, end))
                    }
                    Some(Err(frame)) => {
                        self.is_over = true;
                        let fields = frame.into_trailers().unwrap_or_default();
                        Some(piece(trailer(&fields, trailers), Bytes::new(), b"\r\n"))
                    }
                    None => {
                        self.is_over = true;
                        Some(piece(Bytes::new(), Bytes::new(), b"0\r\n\r\n"))
                    }
                },
            };
        }
        Poll::Ready(Ok(()))
    }
}

fn piece(front: Bytes, data: Bytes, end: &'static [u8]) -> Piece {
    front.chain(data).chain(end)
}

fn malformed(what: &'static str) -> BodyError {
    io::Error::new(io::ErrorKind::UnexpectedEof, what).into()
}

impl Coding {
    /// How a body is framed: as the head says, or as it can be (RFC 9112 section 6.3).
    fn of(headers: &HeaderMap, body: &Body) -> Self {
        let length = framing::length(headers).ok().flatten();
        match length.or_else(|| body.size_hint().exact()) {
            Some(length) if !headers.contains_key(TRANSFER_ENCODING) => Self::Length(length),
            _ => Self::Chunked(announced(headers)),
        }
    }
}

/// The names that `Trailer` lists.
fn announced(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(TRAILER).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(','));
    names.filter_map(|name| name.trim().parse().ok()).collect()
}

/// The last chunk with the trailers that were announced and may stand there (RFC 9110 section
/// 6.5.1), without the empty line after them.
fn trailer(fields: &HeaderMap, announced: &[HeaderName]) -> Bytes {
    let mut text = b"0\r\n".to_vec();
    for (name, value) in fields {
        if announced.contains(name) && !NEVER_TRAILERS.contains(name) {
            write_field(&mut text, name, value.as_bytes());
        }
    }
    text.into()
}

fn write_target(text: &mut Vec<u8>, method: &Method, uri: &Uri) {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    text.extend_from_slice(method.as_str().as_bytes());
    text.push(b' ');
    if !target.starts_with('/') && target != "*" {
        text.push(b'/');
    }
    text.extend_from_slice(target.as_bytes());
    text.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Writes the fields, of which those that frame the body are ours, and the empty line.
fn write_fields(text: &mut Vec<u8>, headers: &HeaderMap, uri: &Uri, coding: Option<&Coding>) {
    if let (Some(host), false) = (uri.authority(), headers.contains_key(HOST)) {
        write_field(text, &HOST, host.as_str().as_bytes());
    }
    let mut has_length = false;
    for (name, value) in headers {
        match *name {
            CONTENT_LENGTH => has_length = true,
            TRANSFER_ENCODING => {}
            _ => write_field(text, name, value.as_bytes()),
        }
    }
    match coding {
        Some(Coding::Length(length)) => {
            let mut digits = itoa::Buffer::new();
            write_field(text, &CONTENT_LENGTH, digits.format(*length).as_bytes());
        }
        Some(Coding::Chunked(_)) => write_field(text, &TRANSFER_ENCODING, b"chunked"),
        // Whatever it said: nothing follows.
        None if has_length => write_field(text, &CONTENT_LENGTH, b"0"),
        None => {}
    }
    text.extend_from_slice(b"\r\n");
}

/// `Name-In-Title-Case: value`, as servers of old expect it.
fn write_field(text: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    let name = name.as_str().as_bytes();
    let start = text.len();
    text.extend_from_slice(name);
    if let Some((first, rest)) = text[start..].split_first_mut() {
        first.make_ascii_uppercase();
        // None depends on the one before: so it takes many bytes at a time.
        for (before, byte) in name.iter().zip(rest) {
            *byte = match *before {
                b'-' => byte.to_ascii_uppercase(),
                _ => *byte,
            };
        }
    }
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
    text.extend_from_slice(b"\r\n");
}
