//! The request that the service gets: the caller's headers, and what the gateway knows of the
//! caller. A token that the gateway fetched is none of its business.

use carnet_config::routing::middleware::ForwardAuth as Options;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body::Body as _;
use url::Position;

use super::super::Exchange;
use super::super::lookalikes::remove_lookalikes;
use crate::body::{Body, Request};
use crate::host;
use crate::service::{Minted, tokens};
use crate::upstream::Hops;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// What proxies in front, or the gateway, say of a caller.
const FORWARDED: [HeaderName; 11] = [
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PORT,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-tls-client-cert"),
    HeaderName::from_static("x-forwarded-tls-client-cert-info"),
    HeaderName::from_static("x-real-ip"),
];

/// Of the connection, or of the body that the service may not get. `Proxy-Authorization` stays: it
/// may be what the service looks at (RFC 9110 section 11.7).
const NOT_SENT: [HeaderName; 8] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HeaderName::from_static("keep-alive"),
    TE,
    HeaderName::from_static("trailers"),
    TRANSFER_ENCODING,
    UPGRADE,
];

/// How questions are made.
#[derive(Debug)]
pub(super) struct Question {
    uri: Uri,
    host: HeaderValue,
    trust: Option<bool>,
    /// The only headers that are sent; empty: all.
    only: Vec<HeaderName>,
    keeps_method: bool,
}

impl Question {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let address = &options.address;
        let unusable = || format!("`{address}` cannot be asked");
        let host = &address[Position::BeforeHost..Position::AfterPort];
        let mut only = super::answer::names(&options.auth_request_headers)?;
        if options.trust_forward_header == Some(true) && !only.is_empty() {
            only.extend(FORWARDED);
        }
        Ok(Self {
            uri: address[..Position::AfterQuery]
                .parse()
                .map_err(|_| unusable())?,
            host: HeaderValue::try_from(host).map_err(|_| unusable())?,
            trust: options.trust_forward_header,
            only,
            keeps_method: options.preserve_request_method,
        })
    }

    /// Whether the caller of this request may pass.
    pub(super) fn about(&self, request: &Request, body: Body, exchange: &Exchange) -> Request {
        let mut question = Request::new(body);
        if self.keeps_method {
            request.method().clone_into(question.method_mut());
        } else {
            *question.method_mut() = Method::GET;
        }
        *question.uri_mut() = self.uri.clone();
        if let Some(hops) = request.extensions().get::<Hops>() {
            question.extensions_mut().insert(*hops);
        }
        let mut headers = self.headers(request);
        match self.trust {
            None => tell_own(&mut headers, request, exchange),
            Some(_) => fill(&mut headers, request, exchange),
        }
        headers.insert(HOST, self.host.clone());
        if question.body().is_end_stream() && usually_has_a_body(question.method()) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        *question.headers_mut() = headers;
        question
    }

    /// Those of the caller's headers that the service gets.
    fn headers(&self, request: &Request) -> HeaderMap {
        let mut headers = request.headers().clone();
        let listed: Vec<HeaderName> = tokens(&headers, &CONNECTION)
            .filter_map(|name| name.parse().ok())
            .collect();
        for name in listed.iter().chain(&NOT_SENT) {
            headers.remove(name);
        }
        if self.trust == Some(false) {
            for name in &FORWARDED {
                remove_lookalikes(&mut headers, name);
            }
        }
        // Whoever lists it wants it seen.
        let is_minted = request.extensions().get::<Minted>().is_some();
        if is_minted && !self.only.contains(&AUTHORIZATION) {
            headers.remove(AUTHORIZATION);
        }
        if self.only.is_empty() {
            return headers;
        }
        let mut some = HeaderMap::new();
        for name in &self.only {
            let values = headers.get_all(name).into_iter();
            // A name may be listed twice.
            some.remove(name);
            some.extend(values.map(|value| (Some(name.clone()), value.clone())));
        }
        some
    }
}

/// Where there is none, that is said (RFC 9110 section 8.6).
fn usually_has_a_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// What the gateway knows, whatever others say; the other headers stay.
fn tell_own(headers: &mut HeaderMap, request: &Request, exchange: &Exchange) {
    for (name, value) in known(request, exchange) {
        remove_lookalikes(headers, &name);
        headers.insert(name, value);
    }
}

/// What nobody says yet.
fn fill(headers: &mut HeaderMap, request: &Request, exchange: &Exchange) {
    let peer = exchange.connection().peer_ip();
    let line = match headers.get(X_FORWARDED_FOR) {
        Some(before) => {
            let line = [before.as_bytes(), b", ", peer.as_bytes()].concat();
            HeaderValue::from_bytes(&line).unwrap_or_else(|_| peer.clone())
        }
        None => peer.clone(),
    };
    headers.insert(X_FORWARDED_FOR, line);
    for (name, value) in known(request, exchange) {
        headers.entry(name).or_insert(value);
    }
    if !headers.contains_key(X_FORWARDED_PORT) {
        let port = port(headers, request.headers().get(HOST));
        headers.insert(X_FORWARDED_PORT, port);
    }
}

fn known(
    request: &Request,
    exchange: &Exchange,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let empty = || HeaderValue::from_static("");
    let target = request.uri().path_and_query();
    let target = HeaderValue::try_from(target.map_or("/", PathAndQuery::as_str));
    let proto = match exchange.connection().tls.is_some() {
        true => "https",
        false => "http",
    };
    let method = HeaderValue::try_from(request.method().as_str());
    let host = request.headers().get(HOST).cloned();
    [
        (X_FORWARDED_FOR, exchange.connection().peer_ip().clone()),
        (X_FORWARDED_PROTO, HeaderValue::from_static(proto)),
        (X_FORWARDED_METHOD, method.unwrap_or_else(|_| empty())),
        (X_FORWARDED_HOST, host.unwrap_or_else(empty)),
        (X_FORWARDED_URI, target.unwrap_or_else(|_| empty())),
    ]
    .into_iter()
}

/// The port that the caller named, or that of the protocol.
fn port(headers: &HeaderMap, host: Option<&HeaderValue>) -> HeaderValue {
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let named = host::split(host).1.filter(|port| !port.is_empty());
    let named = named.and_then(|port| HeaderValue::try_from(port).ok());
    named.unwrap_or_else(|| {
        let proto = headers.get(X_FORWARDED_PROTO).map(HeaderValue::as_bytes);
        HeaderValue::from_static(match proto {
            Some(b"https" | b"wss") => "443",
            _ => "80",
        })
    })
}
