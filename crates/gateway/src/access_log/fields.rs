//! The names under which Traefik writes what is known of a request.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use carnet_config::install::observability::{FieldMode, Fields};
use jiff::Timestamp;

use super::line::Line;
use crate::host;
use crate::middleware::Record;

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    ClientAddr,
    ClientHost,
    ClientPort,
    ClientUsername,
    DownstreamContentSize,
    DownstreamStatus,
    Duration,
    Fault,
    OriginContentSize,
    OriginDuration,
    OriginStatus,
    Overhead,
    RequestAddr,
    RequestContentSize,
    RequestCount,
    RequestHost,
    RequestMethod,
    RequestPath,
    RequestPort,
    RequestProtocol,
    RequestScheme,
    RetryAttempts,
    RouterName,
    ServiceAddr,
    ServiceName,
    ServiceUrl,
    SpanId,
    StartLocal,
    StartUtc,
    TlsCipher,
    TlsClientSubject,
    TlsVersion,
    TraceId,
    EntryPointName,
    Span,
    Trace,
}

/// All fields with their names, in the order of the enumeration and of the JSON format.
pub(super) const NAMES: [(Key, &str); 36] = [
    (Key::ClientAddr, "ClientAddr"),
    (Key::ClientHost, "ClientHost"),
    (Key::ClientPort, "ClientPort"),
    (Key::ClientUsername, "ClientUsername"),
    (Key::DownstreamContentSize, "DownstreamContentSize"),
    (Key::DownstreamStatus, "DownstreamStatus"),
    (Key::Duration, "Duration"),
    (Key::Fault, "Fault"),
    (Key::OriginContentSize, "OriginContentSize"),
    (Key::OriginDuration, "OriginDuration"),
    (Key::OriginStatus, "OriginStatus"),
    (Key::Overhead, "Overhead"),
    (Key::RequestAddr, "RequestAddr"),
    (Key::RequestContentSize, "RequestContentSize"),
    (Key::RequestCount, "RequestCount"),
    (Key::RequestHost, "RequestHost"),
    (Key::RequestMethod, "RequestMethod"),
    (Key::RequestPath, "RequestPath"),
    (Key::RequestPort, "RequestPort"),
    (Key::RequestProtocol, "RequestProtocol"),
    (Key::RequestScheme, "RequestScheme"),
    (Key::RetryAttempts, "RetryAttempts"),
    (Key::RouterName, "RouterName"),
    (Key::ServiceAddr, "ServiceAddr"),
    (Key::ServiceName, "ServiceName"),
    (Key::ServiceUrl, "ServiceURL"),
    (Key::SpanId, "SpanId"),
    (Key::StartLocal, "StartLocal"),
    (Key::StartUtc, "StartUTC"),
    (Key::TlsCipher, "TLSCipher"),
    (Key::TlsClientSubject, "TLSClientSubject"),
    (Key::TlsVersion, "TLSVersion"),
    (Key::TraceId, "TraceId"),
    (Key::EntryPointName, "entryPointName"),
    (Key::Span, "span_id"),
    (Key::Trace, "trace_id"),
];

/// What the options let be seen of each field.
pub(super) struct Shown([FieldMode; NAMES.len()]);

impl Shown {
    pub(super) fn new(options: &Fields) -> Self {
        Self(NAMES.map(|(_, name)| {
            let mut named = options.names.iter();
            let named = named.find(|(wanted, _)| name.eq_ignore_ascii_case(wanted));
            named.map_or(options.default_mode, |(_, mode)| *mode)
        }))
    }

    /// The value of a field, as far as it may be seen.
    pub(super) fn value<'a>(&self, ended: &'a Ended<'_>, name: Key) -> Option<Field<'a>> {
        match self.0[name as usize] {
            FieldMode::Keep => value(ended, name),
            FieldMode::Drop => None,
            FieldMode::Redact => Some(Field::Text("REDACTED".into())),
        }
    }
}

/// A line that has ended, with what its fields are read from more than once.
pub(super) struct Ended<'a> {
    pub(super) line: &'a Line,
    record: &'a Record,
    pub(super) total: Duration,
}

impl<'a> Ended<'a> {
    pub(super) fn new(line: &'a Line, record: &'a Record, total: Duration) -> Self {
        Self {
            line,
            record,
            total,
        }
    }
}

/// The value of a field.
#[derive(Debug)]
pub(super) enum Field<'a> {
    Text(Cow<'a, str>),
    Number(u64),
}

impl<'a> Field<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    fn nanoseconds(duration: Duration) -> Self {
        Self::Number(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// The value of a field; `None` when there is none to speak of.
fn value<'a>(ended: &'a Ended<'_>, name: Key) -> Option<Field<'a>> {
    let Ended {
        line,
        record,
        total,
    } = ended;
    if let Some(value) = of_request(line, name) {
        return Some(value);
    }
    let exchange = line.exchange();
    let origin = record.origin_duration;
    let server = record.server.as_ref().map(|server| &*server.0);
    match name {
        Key::DownstreamContentSize => Some(Field::Number(line.sent)),
        Key::DownstreamStatus => Some(Field::Number(line.status().into())),
        Key::Duration => Some(Field::nanoseconds(*total)),
        Key::Fault => record.fault.map(|reason| Field::text(reason.label())),
        Key::OriginContentSize => record.origin_status.map(|_| Field::Number(line.sent)),
        Key::OriginDuration => origin.map(Field::nanoseconds),
        Key::OriginStatus => {
            let status = record.origin_status;
            status.map(|status| Field::Number(status.as_u16().into()))
        }
        Key::Overhead => Some(Field::nanoseconds(
            total.saturating_sub(origin.unwrap_or_default()),
        )),
        Key::RetryAttempts => Some(Field::Number(record.retry_attempts.into())),
        Key::RouterName => exchange.router().map(Field::text),
        Key::ServiceName => record
            .service
            .as_ref()
            .map(|service| Field::text(&*service.0.name)),
        Key::ServiceUrl => server.map(Field::text),
        Key::ServiceAddr => server.map(address).map(Field::text),
        Key::TraceId | Key::Trace => exchange.trace()?.ids().map(|(trace, _)| Field::text(trace)),
        Key::SpanId | Key::Span => exchange.trace()?.ids().map(|(_, span)| Field::text(span)),
        Key::StartLocal | Key::StartUtc => {
            Some(Field::text(timestamp(exchange.started_at()).to_string()))
        }
        _ => None,
    }
}

fn of_request<'a>(line: &'a Line, name: Key) -> Option<Field<'a>> {
    let request = &line.request;
    let exchange = line.exchange();
    let connection = exchange.connection();
    let peer = connection.peer;
    Some(match name {
        Key::ClientAddr => Field::text(peer.to_string()),
        Key::ClientHost => match request.forwarded_for() {
            Some(addresses) => Field::text(addresses),
            None => Field::text(connection.peer_ip().to_str().unwrap_or_default()),
        },
        Key::ClientPort => Field::text(peer.port().to_string()),
        Key::ClientUsername => Field::text(username(line)),
        Key::EntryPointName => Field::text(&*connection.entry_point),
        Key::RequestAddr => Field::text(request.host()),
        Key::RequestContentSize => Field::Number(line.received()),
        Key::RequestCount => Field::Number(exchange.count()),
        Key::RequestHost => Field::text(host::bare(host::split(request.host()).0)),
        Key::RequestMethod => Field::text(request.method.as_str()),
        Key::RequestPath => Field::text(request.path_without(&exchange.concealed())),
        Key::RequestPort => Field::text(host::split(request.host()).1.unwrap_or("-")),
        Key::RequestProtocol => Field::text(request.protocol),
        Key::RequestScheme => Field::text(match connection.tls {
            Some(_) => "https",
            None => "http",
        }),
        _ => return of_tls(line, name),
    })
}

fn of_tls<'a>(line: &'a Line, name: Key) -> Option<Field<'a>> {
    let session = line.exchange().connection().tls.as_ref()?;
    match name {
        Key::TlsCipher => Some(Field::text(session.cipher())),
        Key::TlsClientSubject => session.client_subject().map(Field::text),
        Key::TlsVersion => Some(Field::text(session.version())),
        _ => None,
    }
}

/// The last name that a middleware found; `-` when there is none.
fn username(line: &Line) -> Cow<'static, str> {
    let name = line.exchange().username();
    name.map_or(Cow::Borrowed("-"), Cow::Owned)
}

/// When the request began, in UTC.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `host:port` of a server's URL.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_reference_names_every_field_in_order() {
        let page = include_str!("../../../../docs/reference/observability.md");
        for (at, (index, name)) in NAMES.into_iter().enumerate() {
            assert_eq!(index as usize, at);
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
