//! The names under which Traefik writes what is known of a request.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::line::Line;
use crate::middleware::Record;

/// All names, for the JSON format.
pub(super) const NAMES: [&str; 36] = [
    "ClientAddr",
    "ClientHost",
    "ClientPort",
    "ClientUsername",
    "DownstreamContentSize",
    "DownstreamStatus",
    "Duration",
    "Fault",
    "OriginContentSize",
    "OriginDuration",
    "OriginStatus",
    "Overhead",
    "RequestAddr",
    "RequestContentSize",
    "RequestCount",
    "RequestHost",
    "RequestMethod",
    "RequestPath",
    "RequestPort",
    "RequestProtocol",
    "RequestScheme",
    "RetryAttempts",
    "RouterName",
    "ServiceAddr",
    "ServiceName",
    "ServiceURL",
    "SpanId",
    "StartLocal",
    "StartUTC",
    "TLSCipher",
    "TLSClientSubject",
    "TLSVersion",
    "TraceId",
    "entryPointName",
    "span_id",
    "trace_id",
];

/// A line that has ended, with what its fields are read from more than once.
pub(super) struct Ended<'a> {
    pub(super) line: &'a Line,
    record: Record,
    pub(super) total: Duration,
}

impl<'a> Ended<'a> {
    pub(super) fn now(line: &'a Line) -> Self {
        Self {
            line,
            record: line.exchange().record(),
            total: line.exchange().elapsed(),
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
pub(super) fn value<'a>(ended: &'a Ended<'_>, name: &str) -> Option<Field<'a>> {
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
    let server = record.server.as_deref();
    match name {
        "DownstreamContentSize" => Some(Field::Number(line.sent)),
        "DownstreamStatus" => Some(Field::Number(line.status().into())),
        "Duration" => Some(Field::nanoseconds(*total)),
        "Fault" => record.fault.map(|reason| Field::text(reason.label())),
        "OriginContentSize" => record.origin_status.map(|_| Field::Number(line.sent)),
        "OriginDuration" => origin.map(Field::nanoseconds),
        "OriginStatus" => {
            let status = record.origin_status;
            status.map(|status| Field::Number(status.as_u16().into()))
        }
        "Overhead" => Some(Field::nanoseconds(
            total.saturating_sub(origin.unwrap_or_default()),
        )),
        "RetryAttempts" => Some(Field::Number(record.retry_attempts.into())),
        "RouterName" => exchange.router().map(Field::text),
        "ServiceName" => record.service.as_deref().map(Field::text),
        "ServiceURL" => server.map(Field::text),
        "ServiceAddr" => server.map(address).map(Field::text),
        "TraceId" | "trace_id" => exchange.trace()?.ids().map(|(trace, _)| Field::text(trace)),
        "SpanId" | "span_id" => exchange.trace()?.ids().map(|(_, span)| Field::text(span)),
        "StartLocal" | "StartUTC" => {
            Some(Field::text(timestamp(exchange.started_at()).to_string()))
        }
        _ => None,
    }
}

fn of_request<'a>(line: &'a Line, name: &str) -> Option<Field<'a>> {
    let request = &line.request;
    let exchange = line.exchange();
    let connection = exchange.connection();
    let peer = connection.peer;
    Some(match name {
        "ClientAddr" => Field::text(peer.to_string()),
        "ClientHost" => match request.forwarded_for() {
            Some(addresses) => Field::text(addresses),
            None => Field::text(connection.peer_ip().to_str().unwrap_or_default()),
        },
        "ClientPort" => Field::text(peer.port().to_string()),
        "ClientUsername" => Field::text(username(line)),
        "entryPointName" => Field::text(&*connection.entry_point),
        "RequestAddr" => Field::text(request.host()),
        "RequestContentSize" => Field::Number(line.received()),
        "RequestCount" => Field::Number(exchange.count()),
        "RequestHost" => Field::text(split(request.host()).0),
        "RequestMethod" => Field::text(request.method.as_str()),
        "RequestPath" => Field::text(request.path()),
        "RequestPort" => Field::text(split(request.host()).1),
        "RequestProtocol" => Field::text(request.protocol),
        "RequestScheme" => Field::text(match connection.tls {
            Some(_) => "https",
            None => "http",
        }),
        _ => return of_tls(line, name),
    })
}

fn of_tls<'a>(line: &'a Line, name: &str) -> Option<Field<'a>> {
    let session = line.exchange().connection().tls.as_ref()?;
    match name {
        "TLSCipher" => Some(Field::text(session.cipher())),
        "TLSClientSubject" => session.client_subject().map(Field::text),
        "TLSVersion" => Some(Field::text(session.version())),
        _ => None,
    }
}

/// The last name that a middleware found; `-` when there is none.
fn username(line: &Line) -> Cow<'static, str> {
    let names = line.exchange().identities().into_iter().rev();
    let mut names = names.filter_map(|identity| identity.username);
    names
        .find(|name| !name.is_empty())
        .map_or(Cow::Borrowed("-"), Cow::Owned)
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

/// Host and port, as Go's `net.SplitHostPort` sees them.
fn split(host: &str) -> (&str, &str) {
    let Some((name, port)) = host.rsplit_once(':') else {
        return (host, "-");
    };
    let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    match address {
        Some(address) => (address, port),
        None if !name.contains(':') => (name, port),
        None => (host, "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, split};

    #[test]
    fn the_reference_names_every_field() {
        let page = include_str!("../../../../docs/reference/observability.md");
        for name in NAMES {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn hosts_split_as_in_go() {
        for (host, parts) in [
            ("a.test", ("a.test", "-")),
            ("a.test:80", ("a.test", "80")),
            ("[::1]:80", ("::1", "80")),
            ("[::1]", ("[::1]", "-")),
        ] {
            assert_eq!(split(host), parts, "{host}");
        }
    }
}
