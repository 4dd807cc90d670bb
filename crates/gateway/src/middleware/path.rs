//! Paths that middlewares change: decoded and encoded in step, as Go's `URL` keeps `Path` and
//! `RawPath`, so that rules, services and logs see one path.

use std::borrow::Cow;
use std::fmt;

use futures_util::future::BoxFuture;
use http::Uri;
use http::header::{HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};

/// Tells the service what was taken off the path. Traefik's name.
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
/// Tells the service the path before. Traefik's name.
const X_REPLACED_PATH: HeaderName = HeaderName::from_static("x-replaced-path");

/// What may not stand in a path; `%` may, users write it themselves.
const NO_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Marks a request of whose path nothing is left. It is `/` to rules and services, and empty to the
/// next middleware that changes it, as in Go.
#[derive(Debug, Clone, Copy)]
struct Nothing;

/// The path of a request, as the one before left it.
pub(super) fn of(request: &Request) -> &str {
    match request.extensions().get::<Nothing>() {
        Some(Nothing) => "",
        None => request.uri().path(),
    }
}

/// Options of a middleware that changes the path and nothing else.
pub(super) trait Rewrite: Send + Sync + fmt::Debug {
    /// The key in the configuration.
    const KIND: &'static str;

    /// Changes it.
    ///
    /// # Errors
    /// When what comes out is no path.
    fn rewrite(&self, request: &mut Request) -> Result<(), Fault>;
}

/// Such a middleware.
#[derive(Debug)]
pub(super) struct Rewriter<O>(pub(super) O);

impl<O: Rewrite> Middleware for Rewriter<O> {
    fn kind(&self) -> &'static str {
        O::KIND
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        exchange.keep_target(&request);
        match self.0.rewrite(&mut request) {
            Ok(()) => next.pass(request),
            Err(fault) => decided(Err(fault)),
        }
    }
}

/// The path without its encoding; `None` where that is no text, which no option can name.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    if !path.as_bytes().contains(&b'%') {
        return Some(Cow::Borrowed(path));
    }
    percent_decode_str(path).decode_utf8().ok()
}

/// What users write as a path, as it may stand in one.
pub(super) fn encoded(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, NO_PATH).into()
}

/// Takes off the path as many bytes as `find` finds at the beginning of it, decoded, and tells the
/// service of them.
///
/// # Errors
/// When the rest is no path.
pub(super) fn strip(
    request: &mut Request,
    find: impl FnOnce(&str) -> Option<usize>,
) -> Result<(), Fault> {
    let path = of(request);
    let Some(decoded) = decoded(path) else {
        return Ok(());
    };
    let Some(prefix) = find(&decoded).and_then(|end| decoded.get(..end)) else {
        return Ok(());
    };
    let told = told(prefix.trim())?;
    let left = match &decoded {
        // Nothing in it is encoded.
        Cow::Borrowed(path) => &path[prefix.len()..],
        Cow::Owned(decoded) => without_start(path, decoded, prefix.len()),
    };
    let left = Changed::left(request, left)?;
    request.headers_mut().append(X_FORWARDED_PREFIX, told);
    left.put(request);
    Ok(())
}

/// Tells the service of the path before it is replaced.
///
/// # Errors
/// When it is no header value.
pub(super) fn tell_replaced(request: &mut Request) -> Result<(), Fault> {
    let before = told(of(request))?;
    request.headers_mut().append(X_REPLACED_PATH, before);
    Ok(())
}

/// Takes so many bytes off the decoded path, and the characters that stand for them off the encoded
/// one.
fn without_start<'p>(path: &'p str, decoded: &str, count: usize) -> &'p str {
    let mut left = decoded.get(..count).unwrap_or(decoded).len();
    let mut rest = path;
    while left > 0 {
        let taken = if rest.starts_with('%') { 3 } else { 1 };
        let Some(shorter) = rest.get(taken..) else {
            return "";
        };
        rest = shorter;
        left -= 1;
    }
    rest
}

/// Gives the request another path; it begins with a slash after that. A path with dot segments, which
/// was none before, is refused: the service would read another path than the rules did.
///
/// # Errors
/// When the path is no path.
pub(super) fn set(request: &mut Request, path: &str) -> Result<(), Fault> {
    Changed::to(request, ["", path])?.put(request);
    Ok(())
}

/// A path that a request will have.
pub(super) struct Changed {
    target: PathAndQuery,
    is_nothing: bool,
}

impl Changed {
    /// One in two pieces, of which [`set`] says more.
    ///
    /// # Errors
    /// When it is no path.
    pub(super) fn to(request: &Request, [front, back]: [&str; 2]) -> Result<Self, Fault> {
        let first = front.bytes().chain(back.bytes()).next();
        let slash = if first == Some(b'/') { "" } else { "/" };
        let query = request.uri().query();
        let more = query.map_or(0, |query| query.len() + 1);
        // As long as it will be: a text with room to spare would be kept beside a count of its own.
        let mut target = String::with_capacity(slash.len() + front.len() + back.len() + more);
        target.push_str(slash);
        target.push_str(front);
        target.push_str(back);
        if has_dot_segments(&target) {
            let cause = "the path has dot segments after a middleware changed it";
            return Err(Fault::new(Reason::BadRequest).because(cause));
        }
        if let Some(query) = query {
            target.push('?');
            target.push_str(query);
        }
        let target = target.try_into();
        Ok(Self {
            target: target.map_err(|error| Fault::new(Reason::BadRequest).because(error))?,
            is_nothing: first.is_none(),
        })
    }

    /// One that is what was left of the path before, or made of it.
    fn left(request: &Request, path: &str) -> Result<Self, Fault> {
        if has_empty_segments(path) {
            let cause = "the path has empty segments after a middleware changed it";
            return Err(Fault::new(Reason::BadRequest).because(cause));
        }
        Self::to(request, ["", path])
    }

    /// Gives it to the request.
    pub(super) fn put(self, request: &mut Request) {
        *request.uri_mut() = Uri::from(self.target);
        match self.is_nothing {
            true => request.extensions_mut().insert(Nothing),
            false => request.extensions_mut().remove::<Nothing>(),
        };
    }
}

fn has_empty_segments(path: &str) -> bool {
    let path = path.as_bytes();
    memchr::memchr_iter(b'/', path).any(|at| path.get(at + 1) == Some(&b'/'))
}

fn has_dot_segments(path: &str) -> bool {
    // Most paths have nothing that could be one.
    if memchr::memchr2(b'.', b'%', path.as_bytes()).is_none() {
        return false;
    }
    let bytes: Cow<'_, [u8]> = percent_decode_str(path).into();
    let mut segments = bytes.split(|byte| *byte == b'/');
    segments.any(|segment| matches!(segment, b"." | b".."))
}

/// As [`set`], for paths that are what is left or made of the one before: empty segments are refused,
/// too, as in Traefik.
///
/// # Errors
/// When the path is no path.
pub(super) fn set_left(request: &mut Request, path: &str) -> Result<(), Fault> {
    Changed::left(request, path)?.put(request);
    Ok(())
}

/// A path in a header.
fn told(path: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_bytes(path.as_bytes())
        .map_err(|error| Fault::new(Reason::BadRequest).because(error))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_off_is_the_same_in_both_forms() {
        for (path, prefix, rest) in [
            ("/a/b", "/a", "/b"),
            ("/a%20b/c%2Fd", "/a b", "/c%2Fd"),
            ("/%C3%A9/x", "/é", "/x"),
            ("/a", "/a", ""),
        ] {
            let decoded = decoded(path).unwrap();
            assert!(decoded.starts_with(prefix));
            assert_eq!(without_start(path, &decoded, prefix.len()), rest, "{path}");
        }
    }
}
