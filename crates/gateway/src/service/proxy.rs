//! One request to one server, its answer back: connection headers off, bodies streamed, protocol
//! switches turned into a tunnel.

use std::path::Path;
use std::sync::Arc;

use carnet_config::routing::service;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, StatusCode, Uri, Version};
use http_body::Body as _;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use super::headers::{self, Field, KeepForwardedFor, Marks};
use super::load_balancer::Clients;
use super::{expect, gunzip, trailers, upgrade};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::shard::Copied;
use crate::traces::{self, Trace};
use crate::upstream::{Destination, Failure};

/// A server of a service, ready to be asked.
#[derive(Debug)]
pub(super) struct Server {
    /// As the access log writes it.
    url: Copied<Arc<str>>,
    /// What it is told about the host.
    host: Host,
    /// Put in front of the request's path; without a slash at its end.
    prefix: String,
    destination: Destination,
}

/// The `Host` of a request to a server.
#[derive(Debug)]
enum Host {
    /// The client's; this one when it named none, as HTTP/1.0 allows.
    Passed(HeaderValue),
    /// The server's own.
    Own(HeaderValue),
}

impl Server {
    /// The error is one sentence.
    pub(super) fn new(
        options: &service::Server,
        pass_host_header: bool,
        clients: &Clients,
    ) -> Result<Self, String> {
        let url = &options.url;
        let (destination, host) = reach(url, clients).ok_or_else(|| {
            format!("`{url}` is no address of a server; write `http://HOST:PORT`")
        })?;
        Ok(Self {
            url: Copied::new(Arc::from(options.name.as_str())),
            destination,
            host: match pass_host_header {
                true => Host::Passed(host),
                false => Host::Own(host),
            },
            prefix: match options.preserve_path {
                true => url.path().trim_end_matches('/').to_owned(),
                false => String::new(),
            },
        })
    }

    fn uri(&self, request: &Uri) -> Result<Uri, Fault> {
        let asked = request.path_and_query().map_or("/", PathAndQuery::as_str);
        format!("{}{asked}", self.prefix)
            .parse()
            .map_err(|error| Fault::new(Reason::BadRequest).because(error))
    }
}

/// Where a URL leads, and what is there called by who does not say otherwise.
fn reach(url: &Url, clients: &Clients) -> Option<(Destination, HeaderValue)> {
    let (scheme, client) = match url.scheme() {
        "unix" => {
            let path = percent_decode_str(url.path()).decode_utf8().ok()?;
            let destination = clients.http1.socket(Path::new(path.as_ref()));
            return Some((destination, HeaderValue::from_static("localhost")));
        }
        "http" => (Scheme::HTTP, &clients.http1),
        "https" => (Scheme::HTTPS, &clients.http1),
        "h2c" => (Scheme::HTTP, &clients.http2),
        _ => return None,
    };
    let host = url.host_str()?;
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let authority: Authority = authority.parse().ok()?;
    let host = HeaderValue::from_str(authority.as_str()).ok()?;
    Some((client.destination(&scheme, &authority), host))
}

/// Asks the server. The request is on its way when this returns, unless it is traced: what is given
/// back waits for the answer.
pub(super) fn proxy<'a>(
    mut request: Request,
    exchange: &'a Exchange,
    server: &'a Server,
) -> Result<impl Future<Output = Result<Response, Fault>> + Send + 'a, Fault> {
    exchange.note(|record| record.server = Some(server.url.held()));
    let marks = Marks::of(request.headers());
    let tunnel = match marks.connection {
        true => upgrade::Offer::take(&mut request),
        false => None,
    };
    let may_have_trailers = request.version() == Version::HTTP_2 && !request.body().is_end_stream()
        || is_of_unknown_length(request.body());
    outgoing(&mut request, exchange, server, (marks, tunnel.as_ref()))?;
    let unzip = marks.accept_encoding != Field::Something && gunzip::ask(&mut request);
    if may_have_trailers {
        trailers::guard(&mut request);
    }
    let gate = match marks.expect {
        true => expect::hold_body(&mut request),
        false => None,
    };

    let sent = Instant::now();
    let answer = match exchange.trace() {
        Some(trace) => Either::Right(Box::pin(traced(request, trace, server))),
        None => Either::Left(server.destination.send(request)),
    };
    // No block that waits: it would hold what it waits for twice.
    Ok(answer.map(move |outcome| {
        drop(gate);
        let response = outcome?;
        exchange.note(|record| {
            record.origin_status = Some(response.status());
            record.origin_duration = Some(sent.elapsed());
            if exchange.wants_origin_headers() {
                response.headers().clone_into(&mut record.origin_headers);
            }
        });
        incoming(response, tunnel, unzip)
    }))
}

/// Asks the server within a span.
async fn traced(mut request: Request, trace: &Trace, server: &Server) -> Result<Response, Failure> {
    let span = trace.client(&mut request, &server.url);
    let sending = server.destination.send(request).instrument(span.clone());
    let outcome = sending.await;
    traces::end_client(trace, &span, &outcome);
    outcome
}

/// Turns the server's answer into ours.
fn incoming(
    mut response: Response,
    tunnel: Option<upgrade::Offer>,
    unzip: bool,
) -> Result<Response, Fault> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return match tunnel {
            Some(offer) => offer.accept(response),
            None => Err(Fault::new(Reason::UpstreamBroken)
                .because("the server switched to a protocol that nobody asked for")),
        };
    }
    let marks = Marks::of(response.headers());
    headers::remove_hop_by_hop(response.headers_mut(), marks);
    // The version of one side says nothing to the other.
    *response.version_mut() = Version::default();
    Ok(match unzip {
        true => gunzip::answer(response),
        false => response,
    })
}

/// Turns the client's request into ours.
fn outgoing(
    request: &mut Request,
    exchange: &Exchange,
    server: &Server,
    (marks, tunnel): (Marks, Option<&upgrade::Offer>),
) -> Result<(), Fault> {
    if !server.prefix.is_empty() {
        *request.uri_mut() = server.uri(request.uri())?;
    }
    *request.version_mut() = Version::HTTP_11;
    let keep = request.extensions().get::<KeepForwardedFor>().is_some();
    let headers = request.headers_mut();
    headers::remove_hop_by_hop(headers, marks);
    if let Some(offer) = tunnel {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, offer.protocol().clone());
    }
    match &server.host {
        Host::Passed(own) => {
            if marks.host != Field::Something {
                headers.insert(HOST, own.clone());
            }
        }
        Host::Own(host) => drop(headers.insert(HOST, host.clone())),
    }
    if !keep {
        headers::append_forwarded_for(headers, exchange.connection().peer_ip());
    }
    if marks.user_agent == Field::Empty {
        headers.remove(USER_AGENT);
    }
    if is_of_unknown_length(request.body()) {
        // Without it the HTTP client would send no body along with GET and HEAD.
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
    Ok(())
}

fn is_of_unknown_length(body: &Body) -> bool {
    !body.is_end_stream() && body.size_hint().exact().is_none()
}
