//! What spans hold of a request, under the names of OpenTelemetry.

use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, Version};
use http_body::Body as _;
use tracing::Span;
use tracing::field::Empty;

use super::{REDACTED, SPANS, Tracer};
use crate::body::Request;
use crate::host;
use crate::middleware::Exchange;

impl Tracer {
    /// The span of a whole request.
    pub(super) fn entry_point(&self, request: &Request, exchange: &Exchange) -> Span {
        let headers = request.headers();
        let connection = exchange.connection();
        let peer = connection.peer;
        let address = peer.ip().to_string();
        let forwarded = text(headers, "x-forwarded-for").unwrap_or_default();
        let first = forwarded.split(',').next().unwrap_or_default().trim();
        tracing::trace_span!(
            target: SPANS,
            parent: None,
            "EntryPoint",
            otel.kind = "server",
            otel.status_code = Empty,
            entry_point = &*connection.entry_point,
            http.request.method = request.method().as_str(),
            http.request.body.size = request.body().size_hint().exact(),
            http.response.status_code = Empty,
            network.protocol.version = version(request.version()),
            url.path = request.uri().path(),
            url.query = request.uri().query().map(|query| self.query(query)),
            url.scheme = text(headers, "x-forwarded-proto"),
            user_agent.original = text(headers, USER_AGENT.as_str()),
            server.address = text(headers, HOST.as_str()),
            client.address = if first.is_empty() { &address } else { first },
            client.port = peer.port(),
            network.peer.address = address,
            network.peer.port = peer.port(),
        )
    }

    /// The span of a request to a server.
    pub(super) fn reverse_proxy(&self, request: &Request, url: &str) -> Span {
        let (scheme, authority) = url.split_once("://").unwrap_or(("", url));
        let authority = authority.split('/').next().unwrap_or_default();
        let (host, port) = host::split(authority);
        let query = request.uri().query();
        let query = query.map(|query| format!("?{}", self.query(query)));
        let path = request.uri().path();
        let whole = format!("{scheme}://{authority}{path}{}", query.unwrap_or_default());
        tracing::trace_span!(
            target: SPANS,
            "ReverseProxy",
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = request.method().as_str(),
            http.response.status_code = Empty,
            network.protocol.version = version(request.version()),
            url.full = whole,
            url.scheme = scheme,
            user_agent.original = text(request.headers(), USER_AGENT.as_str()),
            server.address = host,
            server.port = port.and_then(|port| port.parse::<u16>().ok()),
        )
    }

    /// A query of which only what is safe is shown.
    fn query(&self, query: &str) -> String {
        let safe = &self.options.safe_query_params;
        let shown = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if safe.iter().any(|safe| safe == name) => pair.to_owned(),
            Some((name, _)) => format!("{name}={REDACTED}"),
            None => pair.to_owned(),
        });
        shown.collect::<Vec<_>>().join("&")
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
