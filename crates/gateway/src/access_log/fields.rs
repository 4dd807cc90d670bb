//! The names under which Traefik writes what is known of a request.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::line::Line;
use crate::middleware::Record;

/// All names, for the JSON format.
pub(super) const NAMES: [&str; 32] = [
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
    "StartLocal",
    "StartUTC",
    "TLSCipher",
    "TLSClientSubject",
    "TLSVersion",
    "entryPointName",
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

/// The value of a field; `None` when there is none to speak of.
pub(super) fn value(ended: &Ended<'_>, name: &str) -> Option<Value> {
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
    match name {
        "DownstreamContentSize" => Some(json!(line.sent)),
        "DownstreamStatus" => Some(json!(line.status())),
        "Duration" => Some(nanoseconds(*total)),
        "Fault" => record.fault.map(|reason| json!(reason.label())),
        "OriginContentSize" => record.origin_status.map(|_| json!(line.sent)),
        "OriginDuration" => origin.map(nanoseconds),
        "OriginStatus" => record.origin_status.map(|status| json!(status.as_u16())),
        "Overhead" => Some(nanoseconds(
            total.saturating_sub(origin.unwrap_or_default()),
        )),
        "RetryAttempts" => Some(json!(record.retry_attempts)),
        "RouterName" => exchange.router().map(|name| json!(name)),
        "ServiceName" => record.service.as_ref().map(|name| json!(&**name)),
        "ServiceURL" => record.server.as_ref().map(|url| json!(&**url)),
        "ServiceAddr" => record.server.as_ref().map(|url| json!(address(url))),
        "StartLocal" | "StartUTC" => Some(json!(timestamp(exchange.started_at()).to_string())),
        _ => None,
    }
}

fn of_request(line: &Line, name: &str) -> Option<Value> {
    let request = &line.request;
    let exchange = line.exchange();
    let peer = exchange.connection().peer;
    let (host, port) = split(&request.host);
    Some(match name {
        "ClientAddr" => json!(peer.to_string()),
        "ClientHost" => match &request.forwarded_for {
            Some(addresses) => json!(addresses),
            None => json!(peer.ip().to_string()),
        },
        "ClientPort" => json!(peer.port().to_string()),
        "ClientUsername" => json!(username(line)),
        "entryPointName" => json!(&*exchange.connection().entry_point),
        "RequestAddr" => json!(request.host),
        "RequestContentSize" => json!(request.content_size),
        "RequestCount" => json!(exchange.count()),
        "RequestHost" => json!(host),
        "RequestMethod" => json!(request.method),
        "RequestPath" => json!(request.path),
        "RequestPort" => json!(port),
        "RequestProtocol" => json!(request.protocol),
        "RequestScheme" => json!(if exchange.connection().tls.is_some() {
            "https"
        } else {
            "http"
        }),
        _ => return of_tls(line, name),
    })
}

fn of_tls(line: &Line, name: &str) -> Option<Value> {
    let session = line.exchange().connection().tls.as_ref()?;
    match name {
        "TLSCipher" => Some(json!(session.cipher())),
        "TLSClientSubject" => session.client_subject().map(|subject| json!(subject)),
        "TLSVersion" => Some(json!(session.version())),
        _ => None,
    }
}

/// The last name that a middleware found; `-` when there is none.
fn username(line: &Line) -> String {
    let identities = line.exchange().identities();
    let names = identities.into_iter().rev();
    let mut names = names.filter_map(|identity| identity.username);
    names
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "-".to_owned())
}

/// When the request began, in UTC.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn nanoseconds(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
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
    use super::split;

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
