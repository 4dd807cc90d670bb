//! What is gathered of a request between its head and the last byte of its answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use carnet_config::install::observability::{FieldMode, Filters};
use carnet_oauth::form;
use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use http_body::Body as _;

use super::AccessLog;
use crate::body::{Request, Response};
use crate::canonical::canonical;
use crate::metrics::{Counts, End, Tally};
use crate::middleware::{Exchange, Record};
use crate::shard::Copied;
use crate::snapshot::Route;

/// What stands in the place of a secret.
const REDACTED: &str = "REDACTED";

/// Their values are credentials.
const SECRET: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a client sees when it leaves before its answer: nginx's number, as in Traefik.
const CLIENT_GONE: u16 = 499;

/// Who is told of requests. Each connection has it of its own, so that requests of several threads
/// do not hold on to the same.
#[derive(Debug, Clone)]
pub(crate) struct Watchers {
    pub(crate) log: Option<AccessLog>,
    pub(crate) counts: Option<Arc<Counts>>,
}

/// A line in the making. Dropping it writes it.
#[derive(Debug)]
pub(crate) struct Line {
    watchers: Arc<Watchers>,
    is_logged: bool,
    tally: Option<Tally>,
    exchange: Exchange,
    pub(super) request: RequestFacts,
    status: Option<StatusCode>,
    pub(super) sent: u64,
    received: Received,
    pub(super) origin_headers: Vec<(String, String)>,
    pub(super) response_headers: Vec<(String, String)>,
}

/// The request as it was admitted.
#[derive(Debug, Default)]
pub(super) struct RequestFacts {
    pub(super) method: Method,
    uri: Uri,
    pub(super) protocol: &'static str,
    host: Option<HeaderValue>,
    /// `X-Forwarded-For` of a trusted peer.
    forwarded_for: Option<HeaderValue>,
    pub(super) headers: Vec<(String, String)>,
}

impl RequestFacts {
    /// The target; in absolute form where the client wrote it so.
    fn path(&self) -> Cow<'_, str> {
        match (self.uri.authority(), self.uri.path_and_query()) {
            (None, Some(path)) => Cow::Borrowed(path.as_str()),
            _ => Cow::Owned(self.uri.to_string()),
        }
    }

    /// The target, some parameters of its query concealed.
    pub(super) fn path_without(&self, parameters: &[Arc<str>]) -> Cow<'_, str> {
        let whole = self.path();
        let (path, query) = match whole.split_once('?') {
            Some(parts) if !parameters.is_empty() => parts,
            _ => return whole,
        };
        let shown = query.split('&').map(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            let decoded = form::decode(name.as_bytes());
            let is_it = |one: &Arc<str>| decoded.as_deref() == Some(&**one);
            if parameters.iter().any(is_it) {
                format!("{name}={REDACTED}")
            } else {
                pair.to_owned()
            }
        });
        Cow::Owned(format!("{path}?{}", shown.collect::<Vec<_>>().join("&")))
    }

    /// Writes nothing of these headers.
    fn redact(&mut self, names: &[HeaderName]) {
        let is_secret = |written: &str| {
            names
                .iter()
                .any(|name| name.as_str().eq_ignore_ascii_case(written))
        };
        let headers = self.headers.iter_mut();
        for (_, value) in headers.filter(|(written, _)| is_secret(written)) {
            REDACTED.clone_into(value);
        }
    }

    /// As the client wrote it, port included.
    pub(super) fn host(&self) -> &str {
        text(self.host.as_ref()).unwrap_or_default()
    }

    pub(super) fn forwarded_for(&self) -> Option<&str> {
        text(self.forwarded_for.as_ref())
    }
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

impl Line {
    /// Begins a line.
    pub(crate) fn begin(
        watchers: Arc<Watchers>,
        request: &mut Request,
        mut exchange: Exchange,
    ) -> Self {
        let (log, counts) = (watchers.log.as_ref(), watchers.counts.as_ref());
        let is_watched = log.is_some() || counts.is_some();
        if log.is_some_and(AccessLog::writes_headers) {
            exchange.want_origin_headers();
        }
        Self {
            request: log.map_or_else(RequestFacts::default, |log| facts(request, log)),
            is_logged: log.is_some(),
            tally: counts.map(|counts| Tally::begin(counts, request)),
            received: match is_watched {
                true => Received::of(request),
                false => Received::Known(0),
            },
            watchers,
            exchange,
            status: None,
            sent: 0,
            origin_headers: Vec::new(),
            response_headers: Vec::new(),
        }
    }

    /// The log that the line goes to, if it does.
    fn log(&self) -> Option<&AccessLog> {
        self.watchers.log.as_ref().filter(|_| self.is_logged)
    }

    /// The companion of the request.
    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Notes the route, which may want no line.
    pub(crate) fn routed(&mut self, route: &Copied<Arc<Route>>) {
        self.exchange.routed(route.held());
        let is_wanted = |log: &AccessLog| {
            route.seen.access_logs && (!route.is_internal || log.options().add_internals)
        };
        self.is_logged = self.log().is_some_and(is_wanted);
        let counts = |counts: &Arc<Counts>| {
            route.seen.metrics && (!route.is_internal || counts.adds_internals())
        };
        if !self.watchers.counts.as_ref().is_some_and(counts) {
            self.tally = None;
        }
    }

    /// Notes the head of the answer.
    pub(crate) fn answered(&mut self, response: &Response) {
        self.status = Some(response.status());
        self.told(response.headers());
        if let Some(trace) = self.exchange.trace() {
            trace.answered(trace.root(), response.headers());
        }
        let log = self.log().filter(|log| log.writes_headers()).cloned();
        if let Some(log) = &log {
            self.response_headers = kept(response.headers(), log);
            let given = self
                .exchange
                .noted(|record| kept(&record.origin_headers, log));
            self.origin_headers = given;
        }
    }

    /// Notes the trailers of the answer, or its head.
    pub(crate) fn told(&mut self, headers: &HeaderMap) {
        if let Some(tally) = &mut self.tally {
            tally.told(headers);
        }
    }

    /// Notes bytes of the answer's body.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Bytes of the request's body, as far as it was read.
    pub(super) fn received(&self) -> u64 {
        self.received.bytes()
    }

    /// Status that the client got.
    pub(super) fn status(&self) -> u16 {
        self.status.map_or(CLIENT_GONE, |status| status.as_u16())
    }

    /// Whether the filters let the line through: any of them, or there is none.
    pub(super) fn passes(&self, filters: &Filters, record: &Record, total: Duration) -> bool {
        let Filters {
            status_codes,
            retry_attempts,
            min_duration,
        } = filters;
        if status_codes.is_empty() && !retry_attempts && min_duration.is_none() {
            return true;
        }
        let status = self.status();
        let in_range = |(from, to): &(u16, u16)| (*from..=*to).contains(&status);
        status_codes.iter().any(in_range)
            || (*retry_attempts && record.retry_attempts > 0)
            || min_duration.is_some_and(|least| total >= least)
    }
}

/// The size of a request's body.
#[derive(Debug)]
enum Received {
    /// The client said it beforehand.
    Known(u64),
    /// It is counted as it comes.
    Counted(Arc<AtomicU64>),
}

impl Received {
    fn of(request: &mut Request) -> Self {
        if let Some(size) = request.body().size_hint().exact() {
            return Self::Known(size);
        }
        let bytes = Arc::new(AtomicU64::new(0));
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = body.counted(Arc::clone(&bytes));
        Self::Counted(bytes)
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Known(bytes) => *bytes,
            Self::Counted(bytes) => bytes.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(trace) = self.exchange.trace() {
            trace.ended(self.status());
        }
        if !self.is_logged && self.tally.is_none() {
            return;
        }
        let (record, elapsed) = (self.exchange.take_record(), self.exchange.elapsed());
        self.request.redact(&self.exchange.concealed_headers());
        if let Some(log) = self.log() {
            log.finish(self, &record, elapsed);
        }
        if let (Some(tally), Some(counts)) = (self.tally.take(), &self.watchers.counts) {
            tally.end(
                counts,
                &End {
                    router: self
                        .exchange
                        .route()
                        .and_then(|route| route.seen.series.as_ref()),
                    status: self.status(),
                    elapsed,
                    request_bytes: self.received.bytes(),
                    response_bytes: self.sent,
                    session: self.exchange.connection().tls.as_deref(),
                    record: &record,
                },
            );
        }
    }
}

fn facts(request: &Request, log: &AccessLog) -> RequestFacts {
    let headers = request.headers();
    RequestFacts {
        method: request.method().clone(),
        uri: request.uri().clone(),
        protocol: match request.version() {
            Version::HTTP_09 => "HTTP/0.9",
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            Version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/1.1",
        },
        host: headers.get(HOST).cloned(),
        forwarded_for: headers.get(X_FORWARDED_FOR).cloned(),
        headers: match log.writes_headers() {
            true => kept(headers, log),
            false => Vec::new(),
        },
    }
}

/// The headers that the options want, in their canonical spelling.
fn kept(headers: &HeaderMap, log: &AccessLog) -> Vec<(String, String)> {
    let fields = &log.options().fields;
    let mode = |name: &HeaderName| {
        let named = fields.headers_names.iter();
        let mut named = named.filter(|(wanted, _)| name.as_str().eq_ignore_ascii_case(wanted));
        named
            .next()
            .map_or(fields.headers_default_mode, |(_, mode)| *mode)
    };
    // The host has fields of its own.
    let names = headers.keys().filter(|name| **name != HOST);
    let wanted = names.filter_map(|name| {
        let is_secret = SECRET.contains(name);
        let value = match mode(name) {
            FieldMode::Drop => return None,
            FieldMode::Keep if !is_secret => all_values(headers, name),
            FieldMode::Keep | FieldMode::Redact => REDACTED.to_owned(),
        };
        Some((canonical(name), value))
    });
    wanted.collect()
}

fn all_values(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let values: Vec<_> = values.map(String::from_utf8_lossy).collect();
    values.join(",")
}
