//! What went wrong on the way to an upstream.

use std::error::Error;
use std::fmt;
use std::io;

use http_body_util::LengthLimitError;

use super::http1::Malformed;
use crate::body::BodyError;
use crate::error::{Fault, Reason};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The name does not resolve.
    Name,
    /// No connection: refused, unreachable.
    Connect,
    /// No connection in time.
    DialTimeout,
    /// The TLS handshake failed or took too long.
    Tls,
    /// The request came from ourselves too often.
    Loop,
    /// The connection broke, or what came over it is no HTTP.
    Broken,
    /// No head of an answer in time.
    HeaderTimeout,
    /// The answer is larger than the caller reads.
    TooLarge,
    /// The client's own request body broke off.
    RequestBody,
    /// The client's own request body is no HTTP.
    RequestMalformed,
}

/// A request that got no answer, or only a part of one.
#[derive(Debug)]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// Whether the connection had served another request before, and nothing came over it that
    /// could be an answer to this one.
    pub(super) is_stale: bool,
    cause: Option<BodyError>,
}

impl Failure {
    pub(super) fn new(kind: FailureKind) -> Self {
        Self {
            kind,
            is_stale: false,
            cause: None,
        }
    }

    pub(super) fn because(mut self, cause: impl Into<BodyError>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What a connection reports.
    pub(super) fn of_connection(error: hyper::Error, on_used_connection: bool) -> Self {
        let kind = match error.is_user() {
            true => of_request(&error),
            false => FailureKind::Broken,
        };
        Self {
            kind,
            is_stale: on_used_connection && !error.is_parse(),
            cause: Some(error.into()),
        }
    }

    /// What a stream of HTTP/1.1 reports; `is_stale`: it had served another request before, and
    /// nothing of an answer to this one has come.
    pub(super) fn of_stream(error: io::Error, is_stale: bool) -> Self {
        let mut failure = Self::new(FailureKind::Broken).because(error);
        failure.is_stale = is_stale;
        failure
    }

    /// What came is no answer.
    pub(super) fn of_malformed(error: Malformed) -> Self {
        Self::new(FailureKind::Broken).because(error)
    }

    /// What reading the client's body reports.
    pub(super) fn of_request_body(error: BodyError) -> Self {
        Self::new(of_request(error.as_ref())).because(error)
    }

    /// Whether there was an answer that could not be read as one.
    pub(crate) fn is_malformed(&self) -> bool {
        let http2 = found::<hyper::Error>(self).is_some_and(hyper::Error::is_parse);
        http2 || found::<Malformed>(self).is_some()
    }

    /// What the causes say, the nearest first.
    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes
    }

    /// What collecting a body reports.
    pub(super) fn of_body(error: BodyError) -> Self {
        let kind = match error.is::<LengthLimitError>() {
            true => FailureKind::TooLarge,
            false => FailureKind::Broken,
        };
        Self::new(kind).because(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            FailureKind::Name => "the name does not resolve",
            FailureKind::Connect => "no connection",
            FailureKind::DialTimeout => "no connection in time",
            FailureKind::Tls => "the TLS handshake failed",
            FailureKind::Loop => "the route leads back to this gateway",
            FailureKind::Broken => "the connection broke or spoke no HTTP",
            FailureKind::HeaderTimeout => "no answer in time",
            FailureKind::TooLarge => "the answer is too large",
            FailureKind::RequestBody => "the request's body broke off",
            FailureKind::RequestMalformed => "the request's body is malformed",
        })?;
        for cause in self.causes() {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let reason = match failure.kind {
            FailureKind::Name => Reason::UpstreamName,
            FailureKind::Connect => Reason::UpstreamConnect,
            FailureKind::DialTimeout => Reason::UpstreamDialTimeout,
            FailureKind::Tls => Reason::UpstreamTls,
            FailureKind::HeaderTimeout => Reason::UpstreamHeaderTimeout,
            FailureKind::Loop => Reason::Loop,
            FailureKind::Broken | FailureKind::TooLarge => Reason::UpstreamBroken,
            FailureKind::RequestBody => Reason::ClientGone,
            FailureKind::RequestMalformed => Reason::BadRequest,
        };
        Fault::new(reason).because(failure.to_string())
    }
}

/// Why the client's body did not come to its end.
fn of_request(error: &(dyn Error + 'static)) -> FailureKind {
    match found::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            FailureKind::RequestMalformed
        }
        _ => FailureKind::RequestBody,
    }
}

/// The first error of this type in a chain of causes.
fn found<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
