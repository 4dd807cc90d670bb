//! `/data`: as many bytes as one asks for.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE,
    RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use crate::query::Query;
use crate::response::{Body, PLAIN_TEXT, Response, error};

/// What lies between the bars.
const CHARSET: &[u8] = b"-ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Bytes of one piece of the body.
const PIECE: u64 = 32 * 1024;

/// `size` units of `|ABC...|`. An attachment is one byte shorter and can be asked for in ranges.
pub(crate) fn answer(query: &Query, headers: &HeaderMap) -> Response {
    let size = size(query);
    if query.is_true("attachment") {
        return attachment(size.saturating_sub(1), headers);
    }
    // The original's reader stops before the last byte of all, so one byte is none.
    let length = if size > 1 { size } else { 0 };
    let mut response = http::Response::new(filler(length, 0..length));
    if length > 0 {
        response.headers_mut().insert(CONTENT_TYPE, PLAIN_TEXT);
    }
    response
}

/// How many bytes are asked for.
fn size(query: &Query) -> u64 {
    let number = query
        .value("size")
        .and_then(|size| size.parse::<i64>().ok())
        .unwrap_or(1);
    let shift = match query
        .value("unit")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        _ => 0,
    };
    u64::try_from(number)
        .unwrap_or(0)
        .saturating_mul(1 << shift)
}

/// The answer for `attachment=true`: whole, or the one range that was asked for. Several ranges
/// get the whole, which RFC 9110 section 14.2 leaves to the server.
fn attachment(length: u64, headers: &HeaderMap) -> Response {
    // An answer without validators matches no `If-Range`.
    let range = headers
        .get(RANGE)
        .filter(|_| !headers.contains_key(IF_RANGE));
    let (status, range) = match range.and_then(|value| asked_range(value, length)) {
        None => (StatusCode::OK, 0..length),
        Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(None) => return not_satisfiable(length),
    };
    let mut response = http::Response::new(filler(length, range.clone()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("Attachment"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    headers.insert(CONTENT_TYPE, PLAIN_TEXT);
    if status == StatusCode::PARTIAL_CONTENT {
        let value = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        headers.extend(HeaderValue::try_from(value).map(|value| (CONTENT_RANGE, value)));
    }
    response
}

/// The answer to a range that begins after the end.
fn not_satisfiable(length: u64) -> Response {
    let mut response = error(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "invalid range: failed to overlap",
    );
    let value = HeaderValue::try_from(format!("bytes */{length}"));
    response
        .headers_mut()
        .extend(value.map(|value| (CONTENT_RANGE, value)));
    response
}

/// The one range of a `Range` header. `None`: no range is asked for that this server knows;
/// `Some(None)`: it lies outside.
fn asked_range(value: &HeaderValue, length: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = value
        .to_str()
        .ok()?
        .strip_prefix("bytes=")?
        .trim()
        .split_once('-')?;
    if first.is_empty() {
        let count: u64 = last.parse().ok()?;
        return Some((count > 0 && length > 0).then(|| length.saturating_sub(count)..length));
    }
    let first: u64 = first.parse().ok()?;
    let last: u64 = if last.is_empty() {
        u64::MAX
    } else {
        last.parse().ok()?
    };
    if last < first {
        return None;
    }
    Some((first < length).then(|| first..last.saturating_add(1).min(length)))
}

/// The bytes of a range of a filler of this length, made while they are sent.
fn filler(length: u64, range: Range<u64>) -> Body {
    let pieces = stream::unfold(range, move |rest| async move {
        if rest.is_empty() {
            return None;
        }
        let end = rest.end.min(rest.start + PIECE);
        let piece: Bytes = (rest.start..end).map(|index| byte(length, index)).collect();
        Some((Ok(Frame::data(piece)), end..rest.end))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// One byte of a filler of this length.
fn byte(length: u64, index: u64) -> u8 {
    if index == 0 || index + 1 == length {
        return b'|';
    }
    let position = usize::try_from(index % CHARSET.len() as u64).unwrap_or_default();
    CHARSET.get(position).copied().unwrap_or_default()
}
