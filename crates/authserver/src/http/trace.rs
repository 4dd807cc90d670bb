//! A span for each request, where requests are traced. What it waits for has spans of its own: the
//! store, slow hashes, signatures.

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use tracing::{Instrument as _, field::Empty};

use crate::{
    http::metrics,
    ports::{SPANS, TraceParent},
};

/// A router whose requests are traced.
pub(super) fn traced(router: Router, parent: TraceParent) -> Router {
    router.layer(from_fn_with_state(parent, trace))
}

async fn trace(State(parent): State<TraceParent>, request: Request, next: Next) -> Response {
    let method = metrics::known(request.method());
    // Never the path: routes are few, and nobody's secret.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(MatchedPath::as_str);
    let span = tracing::trace_span!(
        target: SPANS,
        "request",
        otel.name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    (parent.0)(&span, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
