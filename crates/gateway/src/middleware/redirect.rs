//! `redirectScheme` and `redirectRegex`: send clients elsewhere. Both look at the whole URL, as the
//! client wrote it; the scheme is the connection's or, for `redirectScheme`, what `X-Forwarded-Proto`
//! says, which the entry point vouches for.

use std::borrow::Cow;

use carnet_config::routing::middleware::{RedirectRegex, RedirectScheme};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::HOST;

use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::{host, respond};

/// Options of a middleware that redirects.
pub(super) trait Redirect: Send + Sync + std::fmt::Debug {
    /// The key in the configuration.
    const KIND: &'static str;

    /// Whether this one redirects for good.
    fn is_permanent(&self) -> bool;

    /// The URL before and after; `None`: the request passes.
    fn moved(&self, request: &Request, exchange: &Exchange) -> Option<(String, String)>;
}

/// Such a middleware.
#[derive(Debug)]
pub(super) struct Redirector<O>(pub(super) O);

impl<O: Redirect> Middleware for Redirector<O> {
    fn kind(&self) -> &'static str {
        O::KIND
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        match self.0.moved(&request, exchange) {
            Some((before, after)) if before != after => {
                let permanent = self.0.is_permanent();
                decided(respond::redirect(request.method(), &after, permanent))
            }
            _ => next.pass(request),
        }
    }
}

impl Redirect for RedirectRegex {
    const KIND: &'static str = "redirectRegex";

    fn is_permanent(&self) -> bool {
        self.permanent
    }

    fn moved(&self, request: &Request, exchange: &Exchange) -> Option<(String, String)> {
        let before = [scheme(exchange), "://", asked(request), target(request)].concat();
        let after = match self.regex.is_match(&before) {
            true => self
                .regex
                .replace_all(&before, &self.replacement)
                .into_owned(),
            false => return None,
        };
        Some((before, after))
    }
}

impl Redirect for RedirectScheme {
    const KIND: &'static str = "redirectScheme";

    fn is_permanent(&self) -> bool {
        self.permanent
    }

    fn moved(&self, request: &Request, exchange: &Exchange) -> Option<(String, String)> {
        let scheme = told_scheme(request, exchange);
        let (name, port) = host::split(asked(request));
        let own = match scheme {
            "http" => Some("80"),
            "https" => Some("443"),
            _ => None,
        };
        let shown = port.filter(|port| !port.is_empty() && Some(*port) != own);
        let before = with_port(scheme, name, shown) + target(request);
        let wanted = match (self.scheme.as_str(), self.port.as_deref()) {
            ("http", Some("80")) | ("https", Some("443")) => None,
            (_, port) => port,
        };
        let after = with_port(&self.scheme, name, wanted) + target(request);
        Some((before, after))
    }
}

fn with_port(scheme: &str, host: &str, port: Option<&str>) -> String {
    let port = port.map_or(Cow::Borrowed(""), |port| format!(":{port}").into());
    format!("{scheme}://{host}{port}")
}

/// The scheme of what a client asked for, of whom a trusted proxy may have told it: the entry point
/// has left `X-Forwarded-Proto` only where it may be believed.
pub(super) fn told_scheme<'a>(request: &'a Request, exchange: &Exchange) -> &'a str {
    let told = request.headers().get("x-forwarded-proto");
    match told.and_then(|told| told.to_str().ok()) {
        Some("ws") => "http",
        Some("wss") => "https",
        Some(told) if !told.is_empty() => told,
        _ => scheme(exchange),
    }
}

fn scheme(exchange: &Exchange) -> &'static str {
    match exchange.connection().tls {
        Some(_) => "https",
        None => "http",
    }
}

/// The host as the client wrote it.
fn asked(request: &Request) -> &str {
    let host = request.headers().get(HOST).map(HeaderValue::to_str);
    host.and_then(Result::ok).unwrap_or_default()
}

fn target(request: &Request) -> &str {
    request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str())
}
