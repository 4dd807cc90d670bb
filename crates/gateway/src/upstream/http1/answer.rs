//! The head of an answer.

use std::mem::MaybeUninit;

use bytes::{Buf as _, Bytes};
use http::header::{CONNECTION, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use hyper::ext::ReasonPhrase;

use super::Malformed;
use super::framing::Left;

/// Most fields of a head.
const FIELDS: usize = 100;
/// Most bytes of a head.
const SIZE: usize = 128 << 10;

/// A head that was read.
pub(super) struct Answer {
    pub(super) response: Response<()>,
    /// What follows it.
    pub(super) left: Left,
    /// Whether the connection stays open after that.
    pub(super) keeps: bool,
}

impl Answer {
    /// Takes a head out of what has come; `None`: it is not whole yet.
    ///
    /// The fields go into `fields`, an empty map: where one is at hand, none has to be made.
    pub(super) fn take(
        input: &mut Bytes,
        asks_for_head: bool,
        fields: &mut HeaderMap,
    ) -> Result<Option<Self>, Malformed> {
        let bytes = input.clone();
        let mut space = [const { MaybeUninit::uninit() }; FIELDS];
        let mut head = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let length = match config.parse_response_with_uninit_headers(&mut head, &bytes, &mut space)
        {
            Ok(httparse::Status::Complete(length)) if length <= SIZE => length,
            Ok(httparse::Status::Partial) if bytes.len() <= SIZE => return Ok(None),
            Ok(_) => return Err(Malformed("the head is too large")),
            Err(error) => return Err(Malformed(told(error))),
        };
        input.advance(length);
        let status = head.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or(Malformed("the status is none"))?;
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.version_mut() = match head.version {
            Some(1) => Version::HTTP_11,
            _ => Version::HTTP_10,
        };
        let reason = head
            .reason
            .filter(|said| Some(*said) != status.canonical_reason());
        if let Some(Ok(said)) = reason.map(|said| ReasonPhrase::try_from(said.to_owned())) {
            response.extensions_mut().insert(said);
        }
        *response.headers_mut() = std::mem::take(fields);
        let headers = response.headers_mut();
        headers.reserve(head.headers.len());
        let (mut may_close, mut is_coded) = (false, false);
        for field in head.headers {
            let name = HeaderName::from_bytes(field.name.as_bytes());
            let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value));
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Malformed("a field is malformed"));
            };
            may_close |= name == CONNECTION && !is_keep_alive(&value);
            is_coded |= name == TRANSFER_ENCODING;
            headers.append(name, value);
        }
        let kind = (status, response.version());
        let left = Left::after(kind, response.headers_mut(), asks_for_head, is_coded)?;
        let keeps = match (may_close, response.version()) {
            (false, Version::HTTP_11) => status != StatusCode::SWITCHING_PROTOCOLS,
            _ => keeps(&response),
        };
        Ok(Some(Self {
            keeps: keeps && !matches!(left, Left::Rest),
            left,
            response,
        }))
    }
}

/// Whether another answer may follow (RFC 9112 section 9.3).
fn keeps(response: &Response<()>) -> bool {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return false;
    }
    let says = |word| says(response.headers(), word);
    match response.version() {
        Version::HTTP_11 => !says("close"),
        _ => says("keep-alive") && !says("close"),
    }
}

/// As most servers write it.
fn is_keep_alive(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"keep-alive")
}

fn says(headers: &HeaderMap, word: &str) -> bool {
    crate::service::has_token(headers, &CONNECTION, word)
}

fn told(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "the name of a field is malformed",
        httparse::Error::HeaderValue => "the value of a field is malformed",
        httparse::Error::TooManyHeaders => "there are too many fields",
        httparse::Error::Status => "the status is malformed",
        httparse::Error::Version => "the version is none of HTTP/1",
        _ => "the head is malformed",
    }
}
