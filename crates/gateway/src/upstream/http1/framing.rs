//! Where the body of an answer ends (RFC 9112 section 6.3), and how its parts are taken out of what
//! comes.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use http_body::Frame;

use super::Malformed;
use crate::chunked::Chunked;

/// Most fields of trailers.
const TRAILERS: usize = 100;

/// What is left of a body.
#[derive(Debug, Default)]
pub(super) enum Left {
    #[default]
    Nothing,
    /// So many bytes; never none.
    Length(u64),
    Chunked(Box<Chunks>),
    /// Whatever comes until the connection ends.
    Rest,
}

/// A body in chunks, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    chunked: Chunked,
    /// The lines of the trailers.
    trailers: Vec<u8>,
}

impl Left {
    /// What follows the head of an answer; `is_coded`: there is a `Transfer-Encoding` in it.
    pub(super) fn after(
        (status, version): (StatusCode, Version),
        headers: &mut HeaderMap,
        asks_for_head: bool,
        is_coded: bool,
    ) -> Result<Self, Malformed> {
        let ends_in_chunked = || {
            let coding = headers.get_all(TRANSFER_ENCODING).iter().next_back();
            coding.is_some_and(|coding| ends_in_chunked(coding.as_bytes()))
        };
        let is_chunked = is_coded.then(ends_in_chunked);
        let has_none = asks_for_head
            || matches!(
                status,
                StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            );
        if has_none {
            return Ok(Self::Nothing);
        }
        let Some(is_chunked) = is_chunked else {
            return Ok(match length(headers)? {
                Some(0) => Self::Nothing,
                Some(length) => Self::Length(length),
                None => Self::Rest,
            });
        };
        if version == Version::HTTP_10 {
            return Err(Malformed("HTTP/1.0 has no transfer codings"));
        }
        // Who reads it further on shall not take it for the length.
        headers.remove(CONTENT_LENGTH);
        Ok(match is_chunked {
            true => Self::Chunked(Box::default()),
            false => Self::Rest,
        })
    }

    /// Takes the next part out of what has come; `None`: more must come, or it is over.
    pub(super) fn take(&mut self, input: &mut Bytes) -> Result<Option<Frame<Bytes>>, Malformed> {
        match self {
            Self::Nothing => Ok(None),
            Self::Rest if input.is_empty() => Ok(None),
            Self::Rest => Ok(Some(Frame::data(std::mem::take(input)))),
            Self::Length(left) => {
                let data = at_most(input, *left);
                *left -= data.len() as u64;
                if *left == 0 {
                    *self = Self::Nothing;
                }
                Ok((!data.is_empty()).then(|| Frame::data(data)))
            }
            Self::Chunked(chunks) => {
                let frame = chunks.take(input)?;
                if chunks.is_over() {
                    *self = Self::Nothing;
                }
                Ok(frame)
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl Chunks {
    fn take(&mut self, input: &mut Bytes) -> Result<Option<Frame<Bytes>>, Malformed> {
        self.read_framing(input)?;
        if self.chunked.is_over() {
            let fields = fields(&std::mem::take(&mut self.trailers))?;
            return Ok((!fields.is_empty()).then(|| Frame::trailers(fields)));
        }
        let data = at_most(input, self.chunked.data());
        if data.is_empty() {
            return Ok(None);
        }
        self.chunked.pass_data(data.len());
        // The end is often there already: who reads need not ask for it.
        self.read_framing(input)?;
        Ok(Some(Frame::data(data)))
    }

    fn read_framing(&mut self, input: &mut Bytes) -> Result<(), Malformed> {
        let trailers = &mut self.trailers;
        let read = self.chunked.read_framing(input, |byte| trailers.push(byte));
        drop(input.split_to(read.ok_or(Malformed("a chunk is malformed"))?));
        if self.chunked.is_over() && trailers == b"\r\n" {
            trailers.clear();
        }
        Ok(())
    }

    /// Whether nothing follows, trailers neither.
    fn is_over(&self) -> bool {
        self.chunked.is_over() && self.trailers.is_empty()
    }
}

/// The first bytes that have come, as many as there may be.
fn at_most(input: &mut Bytes, most: u64) -> Bytes {
    let count = usize::try_from(most).map_or(input.len(), |most| most.min(input.len()));
    input.split_to(count)
}

/// The lines of trailers, with the empty line after them.
fn fields(lines: &[u8]) -> Result<HeaderMap, Malformed> {
    let mut space = [httparse::EMPTY_HEADER; TRAILERS];
    let mut fields = HeaderMap::new();
    if lines.is_empty() {
        return Ok(fields);
    }
    let parsed = httparse::parse_headers(lines, &mut space);
    let Ok(httparse::Status::Complete((_, parsed))) = parsed else {
        return Err(Malformed("trailers are malformed"));
    };
    for field in parsed {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(Malformed("a trailer is malformed"));
        };
        fields.append(name, value);
    }
    Ok(fields)
}

/// What `Content-Length` says, if it is there: several must say the same.
pub(super) fn length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for line in headers.get_all(CONTENT_LENGTH) {
        for said in line.as_bytes().split(|byte| *byte == b',') {
            let number = number(said.trim_ascii()).ok_or(Malformed("the length is no number"))?;
            if length.is_some_and(|length| length != number) {
                return Err(Malformed("there are several lengths"));
            }
            length = Some(number);
        }
    }
    Ok(length)
}

/// `1*DIGIT`.
fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        text.iter()
            .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
    })
}

fn ends_in_chunked(codings: &[u8]) -> bool {
    let last = codings.rsplit(|byte| *byte == b',').next();
    last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}
