//! Spans of requests, named as Traefik 3 names them: `EntryPoint`, and in it `Router`, middlewares,
//! `Service` and `ReverseProxy`. Knows requests; refuses to know who collects spans and how one
//! becomes part of a trace, which is handed in. Without a collector no span is made.

use std::fmt;
use std::sync::Arc;

use carnet_config::install;
use http::header::{
    AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE, USER_AGENT,
};
use http::{HeaderMap, HeaderValue};
use tracing::Span;
use tracing::field::Empty;

mod request;

use crate::body::{Request, Response};
use crate::middleware::Exchange;
use crate::snapshot::{Route, Snapshot};
use crate::upstream::Failure;

/// The target of the spans that make a trace.
pub const SPANS: &str = "spans";

/// What stands for a secret.
const REDACTED: &str = "REDACTED";

/// Their values are credentials.
const SECRET: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];

/// How spans become part of a trace (W3C Trace Context).
pub trait TraceContext: Send + Sync + fmt::Debug {
    /// Makes a span a child of the caller's, if the caller named one.
    fn adopt(&self, span: &Span, headers: &HeaderMap);

    /// Tells the next one whose child its spans are.
    fn hand_on(&self, span: &Span, headers: &mut HeaderMap);

    /// Writes something into a span whose name is known only now.
    fn note(&self, span: &Span, name: String, values: Vec<String>);

    /// The ids of the trace and of the span, in hexadecimal digits; `None` when there is no trace.
    fn ids(&self, span: &Span) -> Option<SpanIds>;

    /// Says that a span goes back to another, which may have ended and be of another trace.
    fn link(&self, span: &Span, to: &SpanIds);
}

/// The ids of a trace and of a span in it, in hexadecimal digits.
pub type SpanIds = (String, String);

/// Where spans go, and what they hold.
#[derive(Debug, Clone)]
pub struct Tracing {
    /// `tracing`.
    pub options: install::Tracing,
    /// How they become part of a trace.
    pub context: Arc<dyn TraceContext>,
}

/// Makes spans.
#[derive(Debug)]
pub(crate) struct Tracer {
    options: install::Tracing,
    context: Arc<dyn TraceContext>,
    request_headers: Vec<HeaderName>,
    response_headers: Vec<HeaderName>,
}

/// The trace of one request.
#[derive(Debug)]
pub(crate) struct Trace {
    tracer: Arc<Tracer>,
    root: Span,
    is_detailed: bool,
}

impl Tracer {
    pub(crate) fn new(tracing: &Tracing) -> Self {
        let names = |names: &[String]| {
            let names = names.iter().filter_map(|name| name.parse().ok());
            // It has an attribute of its own.
            names
                .filter(|name: &HeaderName| *name != USER_AGENT)
                .collect()
        };
        let options = &tracing.options;
        Self {
            request_headers: names(&options.captured_request_headers),
            response_headers: names(&options.captured_response_headers),
            options: options.clone(),
            context: Arc::clone(&tracing.context),
        }
    }

    /// Begins the trace of a request, unless its router wants none.
    pub(crate) fn begin(
        self: &Arc<Self>,
        request: &Request,
        exchange: &Exchange,
        route: Option<&Route>,
    ) -> Option<Trace> {
        let is_wanted = |route: &Route| {
            route.seen.tracing && (!route.is_internal || self.options.add_internals)
        };
        if !route.is_none_or(is_wanted) {
            return None;
        }
        let root = self.entry_point(request, exchange);
        self.context.adopt(&root, request.headers());
        self.capture(&root, "request", &self.request_headers, request.headers());
        Some(Trace {
            tracer: Arc::clone(self),
            root,
            is_detailed: route.is_some_and(|route| route.seen.detailed_traces),
        })
    }

    /// Begins the trace of an exchange at a provider of tokens. It belongs to no request: many may
    /// wait for it, and it may be for those to come.
    pub(crate) fn exchange(&self, provider: &str) -> Span {
        tracing::trace_span!(
            target: SPANS,
            parent: None,
            "Token",
            otel.kind = "client",
            otel.status_code = Empty,
            server.address = provider,
        )
    }

    /// Ends it: with the ids of its span where it brought a token, else as an error.
    pub(crate) fn exchanged(&self, span: &Span, is_granted: bool) -> Option<SpanIds> {
        if !is_granted {
            span.record("otel.status_code", "ERROR");
        }
        self.context.ids(span)
    }

    fn capture(&self, span: &Span, side: &str, names: &[HeaderName], headers: &HeaderMap) {
        for name in names {
            let values = headers.get_all(name).iter();
            let shown = |value: &HeaderValue| match SECRET.contains(name) {
                true => REDACTED.to_owned(),
                false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            let values: Vec<_> = values.map(shown).collect();
            if !values.is_empty() {
                let attribute = format!("http.{side}.header.{name}");
                self.context.note(span, attribute, values);
            }
        }
    }
}

impl Trace {
    /// The span of the whole request.
    pub(crate) fn root(&self) -> &Span {
        &self.root
    }

    /// The ids of the trace and of that span.
    pub(crate) fn ids(&self) -> Option<SpanIds> {
        self.tracer.context.ids(&self.root)
    }

    /// Says that the request goes with a token that was got then.
    pub(crate) fn link(&self, exchange: &SpanIds) {
        self.tracer.context.link(&self.root, exchange);
    }

    /// The span of the way behind the entry point: that of the router, where such are wanted.
    pub(crate) fn way(&self, snapshot: &Snapshot, route: &Route) -> Span {
        let router = snapshot.config().routers.get(&*route.name);
        let router = router.and_then(|object| object.value.as_ref());
        let Some(router) = router.filter(|_| self.is_detailed) else {
            return self.root.clone();
        };
        tracing::trace_span!(
            target: SPANS,
            parent: &self.root,
            "Router",
            traefik.router.name = &*route.name,
            traefik.service.name = router.service,
            http.route = router.rule_text,
        )
    }

    /// The span of a middleware, where such are wanted.
    pub(crate) fn middleware(&self, kind: &str) -> Option<Span> {
        self.is_detailed.then(|| {
            tracing::trace_span!(
                target: SPANS,
                "middleware",
                otel.name = kind,
                traefik.middleware.name = kind,
            )
        })
    }

    /// The span of a service, where such are wanted.
    pub(crate) fn service(&self, name: &str) -> Option<Span> {
        self.is_detailed
            .then(|| tracing::trace_span!(target: SPANS, "Service", traefik.service.name = name))
    }

    /// The span of a request to a server, which is told of it.
    pub(crate) fn client(&self, request: &mut Request, url: &str) -> Span {
        let span = self.tracer.reverse_proxy(request, url);
        let tracer = &self.tracer;
        tracer.capture(&span, "request", &tracer.request_headers, request.headers());
        tracer.context.hand_on(&span, request.headers_mut());
        span
    }

    /// Writes the head of an answer into its span.
    pub(crate) fn answered(&self, span: &Span, headers: &HeaderMap) {
        let names = &self.tracer.response_headers;
        self.tracer.capture(span, "response", names, headers);
    }

    /// Writes how the request ended.
    pub(crate) fn ended(&self, status: u16) {
        note_status(&self.root, status, 500);
    }
}

/// Writes how a request to a server ended.
pub(crate) fn end_client(trace: &Trace, span: &Span, outcome: &Result<Response, Failure>) {
    match outcome {
        Ok(response) => {
            note_status(span, response.status().as_u16(), 400);
            trace.answered(span, response.headers());
        }
        Err(_) => drop(span.record("otel.status_code", "ERROR")),
    }
}

/// Writes a status; from `worst` on it is an error.
fn note_status(span: &Span, status: u16, worst: u16) {
    span.record("http.response.status_code", status);
    if status >= worst {
        span.record("otel.status_code", "ERROR");
    }
}
