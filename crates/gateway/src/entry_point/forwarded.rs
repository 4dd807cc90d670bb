//! `X-Forwarded-*` and `X-Real-Ip`: whose are believed, and ours where there are none. In Traefik's
//! order: strip, fill, then the client's `Connection` header.

use std::net::IpAddr;

use carnet_config::install::entry_points::ForwardedHeaders;
use http::header::Entry;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, HeaderName, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

use crate::host;
use crate::middleware::Connection;
use crate::service::{has_token, tokens};

/// Headers that only a trusted peer may send, whatever stands for their dashes.
const MANAGED: [&str; 15] = [
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-scheme",
    "x-real-ip",
    // RFC 9440: what a proxy says of a client's certificate.
    "client-cert",
    "client-cert-chain",
];

/// Beside the managed ones, what a client's `Connection` header must not remove: a request would
/// be let through with less than what it was judged by.
const PROTECTED: [HeaderName; 4] = [AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_SCHEME: HeaderName = HeaderName::from_static("x-forwarded-scheme");
const X_SCHEME: HeaderName = HeaderName::from_static("x-scheme");
const X_FORWARDED_SERVER: HeaderName = HeaderName::from_static("x-forwarded-server");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// So many headers are added to most requests.
pub(super) const COUNT: usize = 6;

/// Where a request came from, as its headers shall say.
#[derive(Debug)]
pub(super) struct Origin<'a> {
    pub(super) connection: &'a Connection,
    /// As the client wrote it, port included; the `Host` header holds the same.
    pub(super) host: &'a HeaderValue,
    /// Name of this machine; empty where it is no header value.
    pub(super) server: &'a HeaderValue,
}

/// What a request's head has of the fields that most have not. One look at each name is less than a
/// search for each of them.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    connection: bool,
    /// What only a trusted peer may send.
    managed: bool,
}

impl Marks {
    fn of(headers: &HeaderMap) -> Self {
        let mut marks = Self::default();
        for name in headers.keys() {
            match *name {
                CONNECTION => marks.connection = true,
                _ => marks.managed |= says_where_from(name),
            }
        }
        marks
    }
}

/// Makes the headers say the truth.
pub(super) fn forward(headers: &mut HeaderMap, origin: &Origin<'_>, options: &ForwardedHeaders) {
    let marks = Marks::of(headers);
    if marks.managed && !is_trusted(origin.connection.peer.ip(), options) {
        strip(headers);
    }
    fill(headers, origin, marks.connection && is_websocket(headers));
    if marks.managed {
        fold(headers, X_FORWARDED_FOR);
    }
    if options.add_x_forwarded_scheme_headers {
        tell_scheme(headers);
    }
    if marks.connection {
        obey_connection(headers, &options.connection);
    }
}

fn is_trusted(peer: IpAddr, options: &ForwardedHeaders) -> bool {
    options.insecure
        || options
            .trusted_ips
            .iter()
            .any(|range| range.contains(&peer))
}

/// A backend that reads headers as CGI variables takes `X_Real_Ip` and `X.Real.Ip` for `X-Real-Ip`.
fn is_managed(name: &str) -> bool {
    let same = |a: u8, b: u8| a == b || (b == b'-' && !a.is_ascii_alphanumeric());
    MANAGED.iter().any(|managed| {
        managed.len() == name.len() && name.bytes().zip(managed.bytes()).all(|(a, b)| same(a, b))
    })
}

/// Whether this is a header of a proxy; RFC 7239 says the same in one.
fn says_where_from(name: &HeaderName) -> bool {
    *name == FORWARDED || name.as_str().starts_with(['c', 'x']) && is_managed(name.as_str())
}

fn strip(headers: &mut HeaderMap) {
    let names = headers.keys().filter(|name| says_where_from(name));
    for name in names.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

fn is_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket")
}

fn fill(headers: &mut HeaderMap, origin: &Origin<'_>, is_websocket: bool) {
    fill_one(headers, X_REAL_IP, || origin.connection.peer_ip().clone());
    let proto = match (is_websocket, origin.connection.tls.is_some()) {
        (false, false) => "http",
        (false, true) => "https",
        (true, false) => "ws",
        (true, true) => "wss",
    };
    fill_one(headers, X_FORWARDED_PROTO, || {
        HeaderValue::from_static(proto)
    });
    // What is no header value is none of a host either, which was checked before.
    // The port the client wrote, never the listener's.
    let port = host::split(host::text(origin.host))
        .1
        .filter(|port| !port.is_empty());
    let port = port.and_then(|port| HeaderValue::from_str(port).ok());
    let port = port.unwrap_or_else(|| HeaderValue::from_static(default_port(headers, origin)));
    fill_one(headers, X_FORWARDED_PORT, || port);
    if !origin.host.is_empty() {
        fill_one(headers, X_FORWARDED_HOST, || origin.host.clone());
    }
    if !origin.server.is_empty() {
        headers.insert(X_FORWARDED_SERVER, origin.server.clone());
    }
}

/// `X-Forwarded-Proto` under two more names.
fn tell_scheme(headers: &mut HeaderMap) {
    if let Some(proto) = headers.get(X_FORWARDED_PROTO).cloned() {
        headers.insert(X_FORWARDED_SCHEME, proto.clone());
        headers.insert(X_SCHEME, proto);
    }
}

fn fill_one(headers: &mut HeaderMap, name: HeaderName, value: impl FnOnce() -> HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(place) => drop(place.insert(value())),
        Entry::Occupied(mut place) if place.get().is_empty() => drop(place.insert(value())),
        Entry::Occupied(_) => {}
    }
}

fn default_port(headers: &HeaderMap, origin: &Origin<'_>) -> &'static str {
    let proto = headers.get(X_FORWARDED_PROTO).map(HeaderValue::as_bytes);
    match proto {
        Some(b"https" | b"wss") => "443",
        _ if origin.connection.tls.is_some() => "443",
        _ => "80",
    }
}

/// Several lines to one.
fn fold(headers: &mut HeaderMap, name: HeaderName) {
    let lines: Vec<&[u8]> = headers
        .get_all(&name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.len() < 2 {
        return;
    }
    if let Ok(value) = HeaderValue::from_bytes(&lines.join(&b", "[..])) {
        headers.insert(name, value);
    }
}

/// Removes what `Connection` lists, and keeps of it only what the proxy step needs: `Upgrade`, and
/// the names that the options leave to the middlewares, which the proxy step removes.
fn obey_connection(headers: &mut HeaderMap, kept: &[String]) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let upgrade = match has_token(headers, &CONNECTION, "upgrade") {
        true => headers.get(UPGRADE).cloned(),
        false => None,
    };
    let listed: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|name| name.parse().ok())
        .filter(|name: &HeaderName| !is_managed(name.as_str()) && !PROTECTED.contains(name))
        .collect();
    headers.remove(CONNECTION);
    let mut left = Vec::new();
    for name in &listed {
        let is_kept = |kept: &String| name.as_str().eq_ignore_ascii_case(kept);
        match kept.iter().any(is_kept) {
            true => left.push(name.as_str()),
            false => drop(headers.remove(name)),
        }
    }
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade);
        left.push("Upgrade");
    }
    if let (false, Ok(left)) = (left.is_empty(), HeaderValue::from_str(&left.join(", "))) {
        headers.insert(CONNECTION, left);
    }
}
